# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own network
#
# **The question.** You have a network with two heads on one *trunk*, the layers that both share. How much does what one head gets right depend on
# the other head's task, and what does the CHSH report say of it?
#
# **What you need.** Two tasks for each head, and a function that trains one network from scratch on one of Alice's tasks and
# one of Bob's, and returns which items either head gets right. {py:func}`ncnet.experiment.train` calls it in the four contexts (pairs of
# tasks) of every replica (draw of initial weights). If you have outcomes already, {doc}`/your_table` reads them.
#
# **What we did.** We took two networks as an example: a small convolutional one on scikit-learn's handwritten digits, written in plain torch as you
# might have written it, and a small BERT with the Trainer of transformers. Nothing in their code is ours but the lines that are pointed out.
#
# **Time.** 20 seconds of one processor.

# %% tags=["parameters"]
hidden_sizes: list = [1, 3]  # units of the layer that both heads read
hidden_size: int = 3  # looked at closely
replicas: int = 8
steps: int = 40
learning_rate: float = 0.02
log_interval: int = 10  # steps from one look of the probe to the next
seed: int = 0
save_to: str = ""  # a folder for the tables of this run

# %%
from ncnet.parameters import validate
from ncnet.studies.your_model.parameters import YourModel

chosen = validate(globals(), YourModel)

# %%
import tempfile
import warnings
from itertools import product
from pathlib import Path

import pandas as pd
import torch
from myst_nb import glue
from sklearn.datasets import load_digits
from torch import nn

warnings.filterwarnings("ignore", "IProgress not found")
import transformers

from ncnet import chsh, figures, plotting, runs

plotting.use_style()
run = runs.Run(YourModel, chosen)
torch.set_num_threads(1)  # two would wait for each other

# %% [markdown]
# ## 1. A function, and a first report
#
# The network is yours: a trunk, and a head for each party.


# %%
class TwoHeads(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.trunk = nn.Sequential(
            *(nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(72, units), nn.Tanh()),
        )
        self.alice, self.bob = nn.Linear(units, 2), nn.Linear(units, 2)

    def forward(self, images):
        state = self.trunk(images)
        return self.alice(state), self.bob(state)


# %% [markdown]
# So are the tasks: two for Alice, two for Bob, on the same items. Here setting 1 is the easier one of each party.

# %%
pixels, digits = load_digits(return_X_y=True)
images = torch.tensor(pixels / 16).float().reshape(-1, 1, 8, 8)
training, held_out = slice(0, 128), slice(128, 256)
tasks = {
    ("alice", 1): digits == 0,
    ("alice", 2): digits % 2 == 1,
    ("bob", 1): digits == 6,
    ("bob", 2): digits >= 5,
}
labels = {
    task: torch.tensor(is_so).long() for task, is_so in tasks.items()
}

# %% [markdown]
# The function trains one network on Alice's task of one setting and Bob's of another. Two things are asked of it:
#
# - All that is random follows from `seed`. The four contexts of a replica are given the same one, so that they start from the same weights
#   and see the batches in the same order.
# - It returns, for each item, whether Alice's head is right and whether Bob's is: true and false, 0 and 1, or ±1. It does not return what they
#   predict. The items are the same in every context, and in the same order: no shuffling where you evaluate.


# %%
def right(network, targets, items=training):
    with torch.no_grad():
        logits = network(images[items])
    return [
        logit.argmax(1) == target[items]
        for logit, target in zip(logits, targets, strict=True)
    ]


def losses(network, targets):
    batch = torch.randint(128, (32,))
    return [
        nn.functional.cross_entropy(logit, target[batch])
        for logit, target in zip(
            network(images[batch]), targets, strict=True
        )
    ]


def train_context(alice_setting, bob_setting, seed, units=hidden_size):
    torch.manual_seed(seed)
    network = TwoHeads(units)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    targets = labels["alice", alice_setting], labels["bob", bob_setting]
    for _ in range(steps):
        loss = sum(losses(network, targets))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return right(network, targets)


# %% [markdown]
# Try it before you run it: two calls with one seed have to agree.

# %%
once, again = train_context(2, 2, 7), train_context(2, 2, 7)
all(map(torch.equal, once, again))

# %% [markdown]
# That is all. The report:

# %%
from ncnet import experiment

outcomes = experiment.train(train_context, replicas=replicas, seed=seed)
chsh.report(outcomes)

# %% tags=["remove-cell"]
report = chsh.report(outcomes)
glue("yours_units", hidden_size, display=False)
glue("yours_replicas", replicas, display=False)
glue("yours_s", float(report.s), display=False)
low, high = report.betting_interval
glue("yours_s_low", float(low), display=False)
glue("yours_s_high", float(high), display=False)
glue("yours_verdict", report.verdict, display=False)
glue("yours_delta", float(report.delta), display=False)
glue("yours_influence", float(report.influence), display=False)
signalling = "not shown"
if report.signalling:
    signalling = f"shown in {', '.join(report.signalling)}"
glue("yours_signalling", signalling, display=False)

# %% [markdown]
# With {glue:text}`yours_units` shared units and {glue:text}`yours_replicas` replicas S is {glue:text}`yours_s:.2f`
# ({glue:text}`yours_s_low:.2f` to {glue:text}`yours_s_high:.2f`): {glue:text}`yours_verdict`. In these replicas the heads' success rates change with
# the other head's task by {glue:text}`yours_delta:.2f` in all (Δ), single outcomes by {glue:text}`yours_influence:.2f` (influence). Signalling is
# {glue:text}`yours_signalling`: at so few replicas an interval may leave 0 out where the exact test does not, and the report follows the more careful of
# the two. {doc}`/report` explains each line, {doc}`/signalling` where it comes from.
#
# ## 2. Long runs: capacities, and what was cut off
#
# With `capacities` the function is called with a fourth argument, one of them. With `folder` each context is kept as soon as it is finished.
# A folder belongs to one seed and to one `configuration`: all that the outcomes depend on, such as steps, data and size of the network. Nobody can
# read off a function whether it is still the same. So whenever a run goes on, it first trains one of the finished contexts again, drawn by
# chance, and says how many of its outcomes differ. Above `tolerance`, which is none unless you state one, the folder is refused. On a CPU the same
# training gives the same outcomes; on a GPU it rarely does. A change that shows in a few contexts alone can be missed: the
# `configuration` comes first. Return the losses as well: where all tasks are easy, outcomes are the same whatever the training, and only a loss tells.
#
# A function may return more than a pair: {py:class}`ncnet.experiment.Trained` takes held-out items, losses, and
# names of the items. With names, contexts whose items differ are refused, which finds a loader that shuffles.


# %%
def train_and_test(alice_setting, bob_setting, seed, units):
    torch.manual_seed(seed)
    network = TwoHeads(units)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    targets = labels["alice", alice_setting], labels["bob", bob_setting]
    for _ in range(steps):
        alice_loss, bob_loss = losses(network, targets)
        optimizer.zero_grad()
        (alice_loss + bob_loss).backward()
        optimizer.step()
    return experiment.Trained(
        training=right(network, targets),
        held_out=right(network, targets, held_out),
        items=range(128),
        held_out_items=range(128, 256),
        alice_loss=alice_loss,
        bob_loss=bob_loss,
    )


# %% [markdown]
# A run that is cut off after ten contexts:

# %%
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
given = {
    "replicas": replicas,
    "seed": seed,
    "capacities": hidden_sizes,
    "capacity_name": "hidden_size",
    "folder": folder,
    "configuration": {"steps": steps, "learning_rate": learning_rate},
}


def cut_off(*arguments):
    if len(list(folder.rglob("*.npz"))) == 10:
        raise KeyboardInterrupt
    return train_and_test(*arguments)


try:
    experiment.train(cut_off, **given)
except KeyboardInterrupt:
    kept = sorted(p.relative_to(folder) for p in folder.rglob("*.npz"))
    print(*kept[:4], "...", sep="\n")

# %% [markdown]
# The same call trains one of the ten again, and goes on with the eleventh. A kill or a power cut would do no more harm: a file is there whole, or not
# at all. Another seed or number of steps is refused. So is another training under the same description:

# %%
sweep = experiment.train(train_and_test, **given)


def another(alice_setting, bob_setting, seed, units):
    return train_and_test(alice_setting, bob_setting, seed + 1, units)


for training, changed in (
    (train_and_test, {"seed": seed + 1}),
    (another, {}),
):
    try:
        experiment.train(training, **(given | changed))
    except ValueError as error:
        print(str(error).replace(str(folder), "the folder"))
temporary.cleanup()

# %%
rows = [
    {"hidden_size": n} | chsh.report(sweep.sel(capacity=n)).row()
    for n in hidden_sizes
]
table = pd.DataFrame(rows)
run.save("capacity", table)
chsh.summary(table.set_index("hidden_size"))

# %% [markdown]
# S on the held-out items: `chsh.report(sweep.sel(capacity=hidden_sizes[-1]), split="held_out")`. With 32 replicas, or a multiple of it, `chsh.by_capacity(sweep)`
# makes the table in one call, with the spread of single runs.
#
# ## 3. Along training: the probe
#
# {py:class}`ncnet.experiment.probe.Probe` looks at both heads' gradients on the trunk, and at S, while the network trains. It takes one line in
# your loop, before `backward()`, and one after it. The training stays the same, bit by bit. Where gradients cannot be recorded without changing it, as
# under reentrant checkpointing and at times under `torch.compile`, a warning says why, and the training goes on without them. Here each
# context of each replica has a probe of its own.


# %%
from ncnet.experiment.probe import (
    Probe,
    conflict_by_step,
    outcomes_by_step,
)

probes = {context: [] for context in product((1, 2), (1, 2))}


def with_probe(alice_setting, bob_setting, seed):
    torch.manual_seed(seed)
    network = TwoHeads(hidden_size)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    targets = labels["alice", alice_setting], labels["bob", bob_setting]
    probe = Probe(  # ours
        network.trunk,
        every=log_interval,
        evaluate=lambda: right(network, targets),
    )
    for _ in range(steps):
        alice_loss, bob_loss = losses(network, targets)
        probe.record(alice_loss, bob_loss)  # ours
        optimizer.zero_grad()
        (alice_loss + bob_loss).backward()
        optimizer.step()
    probe.evaluate()  # ours: after the last step, too
    probes[alice_setting, bob_setting].append(probe)
    return right(network, targets)


same = experiment.train(with_probe, replicas=replicas, seed=seed)
same.a.equals(outcomes.a) and same.b.equals(outcomes.b)

# %% mystnb={"figure": {"name": "fig-yours-conflict", "caption": "Both heads' gradients on the trunk along training, in the four contexts, at the hidden size looked at closely: the cosine of the angle between them (left), and how alike they are in length, 1 where they are equally long (right). Means over the replicas of the parameters; bands are 95 % intervals."}, "image": {"alt": "Two panels against training steps, a line with a band for each of four contexts. Left, the cosine of both gradients stays around zero, the bands overlap. Right, their similarity in length starts alike in the four contexts; in the context of both first tasks it falls."}}
conflict = conflict_by_step(probes)
run.show(figures.conflict_by_step(conflict), conflict=conflict)

# %% [markdown]
# ```{admonition} A cosine near -1 is no discovery
# :class: warning
# Where the sum of both losses is stationary, the two gradients cancel: late in training the cosine tends to -1 in every network with a shared
# trunk, whatever it has learnt. Compare contexts or sizes at the same step, and do it early. Gradients are those of the batch at hand: the
# smaller it is, the more noise draws the cosine towards 0.
# ```
#
# `outcomes_by_step` puts the outcomes of all probes together: S at every step that all of them have logged. It may be called while four networks
# train side by side.

# %%
by_step = outcomes_by_step(probes)
rows = [
    {"steps": n, "hidden_size": hidden_size}
    | chsh.report(by_step.sel(capacity=n)).row()
    for n in by_step["capacity"].values.tolist()
]

# %% mystnb={"figure": {"name": "fig-yours-training", "caption": "S on training items (above) and the signalling Δ (below) along training, at the hidden size looked at closely, with 95 % intervals over the replicas of the parameters. The dashed line is the classical bound."}, "image": {"alt": "Two panels, one above the other, against training steps on a scale that is logarithmic from ten on. Above, S starts near zero with a long bar, rises early and stays below the classical bound. Below, the signalling starts at zero and grows; its bars are long."}}
along_training = pd.DataFrame(rows)
run.show(
    figures.along_training(along_training),
    along_training=along_training,
)

# %% tags=["remove-cell"]
all_probes = [probe for of_one in probes.values() for probe in of_one]
first, last = rows[0], rows[-1]
glue("yours_first_s", float(first["s"]), display=False)
glue("yours_last_s", float(last["s"]), display=False)
glue("yours_last_step", int(last["steps"]), display=False)
logged = sum(len(probe.table()) for probe in all_probes)
milliseconds = 1000 * sum(probe.seconds for probe in all_probes) / logged
glue("yours_milliseconds", float(milliseconds), display=False)

# %% [markdown]
# S goes from {glue:text}`yours_first_s:.2f` before training to {glue:text}`yours_last_s:.2f` after {glue:text}`yours_last_step` steps. A look, which is
# two backward passes and one evaluation, cost {glue:text}`yours_milliseconds:.1f` ms (`probe.seconds`). By default the probe looks at every 50th step;
# `python -m benchmarks.probe` measures what share of a training that is.
#
# ## 4. The Trainer of transformers
#
# If the model's `forward` returns the loss of each head beside the `loss` that is trained on,
# {py:class}`ncnet.experiment.callback.ProbeCallback` does the same in an unchanged Trainer. A small BERT with random weights, on
# sentences that are made here:

# %%
words = ["red", "blue", "fox", "cat", "runs", "sits", "here", "there"]
pairs = [(0, 1), (2, 3), (4, 5), (6, 7)]  # places in `words`
sentences = torch.tensor(list(product(*pairs)))
of = (sentences % 2).bool()  # blue, cat, sits, there
asked = {
    ("alice", 1): of[:, 0],
    ("alice", 2): of[:, 0] ^ of[:, 1],
    ("bob", 1): of[:, 2],
    ("bob", 2): of[:, 2] ^ of[:, 3],
}
[" ".join(words[k] for k in sentence) for sentence in sentences[:3]]


# %%
class TwoHeadedBert(nn.Module):
    def __init__(self):
        super().__init__()
        config = transformers.BertConfig(
            vocab_size=len(words),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
        )
        self.bert = transformers.BertModel(
            config, add_pooling_layer=False
        )
        self.alice, self.bob = nn.Linear(16, 2), nn.Linear(16, 2)

    def logits(self, input_ids):
        state = self.bert(input_ids=input_ids).last_hidden_state.mean(1)
        return self.alice(state), self.bob(state)

    def forward(self, input_ids, alice_labels, bob_labels):
        a, b = self.logits(input_ids)
        alice_loss = nn.functional.cross_entropy(a, alice_labels)
        bob_loss = nn.functional.cross_entropy(b, bob_labels)
        return {
            "loss": alice_loss + bob_loss,
            "alice_loss": alice_loss,
            "bob_loss": bob_loss,
        }


# %%
from ncnet.experiment.callback import ProbeCallback


def with_trainer(alice_setting, bob_setting, seed):
    torch.manual_seed(seed)
    model = TwoHeadedBert()
    targets = asked["alice", alice_setting], asked["bob", bob_setting]

    def evaluate():
        mode = model.training
        model.eval()
        logits = model.logits(sentences)
        model.train(mode)
        return [
            logit.argmax(1) == target.long()
            for logit, target in zip(logits, targets, strict=True)
        ]

    probe = Probe(model.bert, every=5, evaluate=evaluate)  # ours
    trainer = transformers.Trainer(
        model,
        arguments(seed),
        train_dataset=[
            {"input_ids": s, "alice_labels": a, "bob_labels": b}
            for s, a, b in zip(
                sentences, *(t.long() for t in targets), strict=True
            )
        ],
        callbacks=[ProbeCallback(probe)],  # ours
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    of_trainer[alice_setting, bob_setting].append(probe)
    with torch.no_grad():
        return evaluate()


def arguments(seed):
    return transformers.TrainingArguments(
        output_dir=temporary.name,
        seed=seed,
        max_steps=20,
        per_device_train_batch_size=8,
        learning_rate=0.01,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
    )


# %%
of_trainer = {context: [] for context in probes}
temporary = tempfile.TemporaryDirectory()
of_bert = experiment.train(with_trainer, replicas=1, seed=seed)
temporary.cleanup()
s = chsh.s_per_replica(outcomes_by_step(of_trainer))
s.isel(replica=0).to_series().rename_axis("steps").to_frame("S")

# %% [markdown]
# S of one replica, by steps; a report takes dozens of them. What the callback saw in one of its trainings:

# %%
of_trainer[2, 2][0].table().set_index("step").round(3)

# %% [markdown]
# In each step the first call with gradients is looked at: with gradient accumulation, that of the first batch. Where the Trainer makes the model
# (`model_init`), hand over a function, `ProbeCallback(lambda model: Probe(model.bert))`; the probe is then `callback.probe`. The Trainer seeds
# itself: hand `seed` to its arguments, as above.
#
# ## 5. You have outcomes already
#
# Networks that were trained elsewhere need no function: write one row for each context, replica and item, and {doc}`/your_table` has the
# report. It asks for the same: all four contexts, the same items in each.
#
# ## 6. More tasks: which of them to train together
#
# With many tasks the question is another one: which should share a trunk? Train every pair, and every task alone. {py:func}`ncnet.experiment.group` then says
# which way to pair them gains most on items that were not trained on, and how much another way may gain more at most. Of the four tasks of above:

# %%
import itertools

import numpy as np

from ncnet.experiment import group, interference, replica_seed

names = {"zero": digits == 0, "six": digits == 6}
names |= {"odd": digits % 2 == 1, "large": digits >= 5}
aims = {name: torch.tensor(is_so).long() for name, is_so in names.items()}
everything = slice(0, 256)  # training items first, then the others


def train_tasks(chosen, seed):
    torch.manual_seed(seed)
    network = TwoHeads(hidden_size)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    for _ in range(steps):
        batch = torch.randint(128, (32,))
        heads = zip(network(images[batch]), chosen, strict=False)
        loss = sum(
            nn.functional.cross_entropy(logit, aims[name][batch])
            for logit, name in heads  # a task alone has one head
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        logits = network(images[everything])
    return [
        2 * (logit.argmax(1) == aims[name][everything]).int().numpy() - 1
        for logit, name in zip(logits, chosen, strict=False)
    ]


several = [*itertools.combinations(names, 1)]
several += itertools.combinations(names, 2)
seeds = [replica_seed(seed, replica) for replica in range(replicas)]
of_tasks = {
    chosen: np.stack([train_tasks(chosen, s) for s in seeds], axis=1)
    for chosen in several
}
split = ["training"] * 128 + ["held_out"] * 128
together = chsh.collect_pairs(of_tasks, split=split)
print(group(together, trunks=2))

# %% [markdown]
# A few replicas order the ways and bound nothing: below ten that differ, intervals come from betting, and a bound takes dozens.
# {py:func}`ncnet.experiment.interference` has S of each pair, against a head that is asked nothing, and what each task loses. {doc}`rq5` asks what S is worth for
# grouping.

# %%
columns = ["s", "training_drop", "both_wrong", "held_out_drop"]
of_pairs = interference(together).groupby(["first", "second"])
of_pairs[columns].mean().round(3)

# %% [markdown]
# ## 7. What the report does not show
#
# - **No quantum physics.** The heads share a trunk: each may signal to the other. S > 2 is no wonder then, and Δ, influence and
#   $S - \Delta - 2$ belong beside it ({doc}`/signalling`).
# - **Two failures count as agreement.** Read the success rates with the correlators: two heads that are always wrong have S = 2.
# - **The replica is the unit.** Intervals resample replicas. More items make no interval shorter; they hold for these items. For new items,
#   resample both ({py:func}`ncnet.studies.ranks.pigeonhole.pigeonhole_interval`).
# - **Few replicas, wide intervals.** Below ten replicas that differ, intervals come from betting tests, which are valid at any number and wide at
#   small ones. With a dozen replicas no test that is valid for any distribution of S can tell a mean a little above 2 from 2.
# - **Influence and the share above 2** compare single outcomes between contexts. They mean influence only if the four contexts of a replica share all that is
#   random. If your training is not deterministic (some operations on GPUs are not), S, Δ and $S - \Delta - 2$ still stand.
# - **Kept contexts have no probe**, since they are not trained again, all but one: use a fresh folder to follow a training.
#
# ## Go further
#
# The first two are for a cell at the end of this notebook, which has all the names that they use.
#
# **Ten minutes: both hard tasks to Bob.** In (A2, B2) the two hard tasks meet. Exchange A2 and B1, so that Bob has both and they never meet. What
# happens to Δ?
#
# ````{dropdown} Solution
# ```python
# hard, easy = labels["alice", 2], labels["bob", 1]
# labels["alice", 2], labels["bob", 1] = easy, hard
# exchanged = experiment.train(train_context, replicas=replicas, seed=seed)
# labels["alice", 2], labels["bob", 1] = hard, easy  # as before
# print(chsh.report(exchanged))
# ```
#
# Δ falls to a small part of what it was. A hard task is now always beside an easy one, and it makes little difference to a head which easy one
# it is. S stays below 2, because the hard tasks are still missed, beside either of Alice's.
# ````
#
# **Half an hour: a one-way trunk.** Let Bob's head read the trunk without training it. Which half of the influence has to vanish, exactly?
#
# ````{dropdown} Solution
# ```python
# class OneWay(TwoHeads):
#     def forward(self, images):
#         state = self.trunk(images)
#         return self.alice(state), self.bob(state.detach())
#
#
# def one_way(alice_setting, bob_setting, seed):
#     torch.manual_seed(seed)
#     network = OneWay(hidden_size)
#     optimizer = torch.optim.Adam(network.parameters(), learning_rate)
#     targets = labels["alice", alice_setting], labels["bob", bob_setting]
#     for _ in range(steps):
#         loss = sum(losses(network, targets))
#         optimizer.zero_grad()
#         loss.backward()
#         optimizer.step()
#     return right(network, targets)
#
#
# stopped = experiment.train(one_way, replicas=replicas, seed=seed)
# print(chsh.influence(stopped))
# print(chsh.report(stopped))
# ```
#
# Alice's half, A1 and A2: no gradient of Bob's reaches anything that her head depends on, so none of her outcomes changes with his task. His do change
# with hers, those of the hard task most, since she makes the trunk that he reads. S moves by less than its interval is wide. This is λ = 0 of
# {doc}`rq2`, with another network.
# ````
#
# **An hour: wider and longer.** Train five times as long, with one, three and twelve units. Where does S go, and where does the signalling?
#
# ````{dropdown} Solution
# ```console
# $ papermill notebooks/your_model.ipynb wide.ipynb -p steps 200 -p replicas 12 -p save_to wide -y 'hidden_sizes: [1, 3, 12]'
# ```
#
# ```python
# from pathlib import Path
#
# from ncnet import chsh, results
#
# table = results.load("capacity", folder=Path("wide")).table
# print(chsh.summary(table.set_index("hidden_size")))
# ```
#
# With one and with three units the tasks are not fitted: S is below 2, and the heads signal. With twelve all is fitted, S is next to 2, and almost
# nothing signals. Its interval is the longest all the same. Hardly any of the twelve replicas differs from the others, so it comes from a betting
# test, which allows for rare replicas that so few would not show. It takes hundreds of replicas to make it short.
# ````
