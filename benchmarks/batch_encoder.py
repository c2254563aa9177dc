"""Times a training step of an encoder, alone: ``python -m benchmarks.batch_encoder RANK``.

The encoder has the size of BERT (12 layers, 768 wide, 110 million weights) and random weights; LoRA
adapts query and value of every layer. Prints seconds a step and the peak of memory in megabytes.
"""

import resource
import statistics
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertModel

from benchmarks.batch import ENCODER_STEPS, SEQUENCES, TOKENS


def main() -> None:
    """Time steps at the rank that is named on the command line."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    encoder = get_peft_model(
        BertModel(BertConfig()),
        LoraConfig(r=int(sys.argv[1]), lora_dropout=0.0, target_modules=["query", "value"]),
    )
    trained = [weight for weight in encoder.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=1e-3)
    tokens = torch.randint(1000, 30000, (SEQUENCES, TOKENS))
    took = []
    for _ in range(1 + ENCODER_STEPS):
        started = time.perf_counter()
        encoder(input_ids=tokens).pooler_output.square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        took.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(statistics.median(took[1:]), peak)


if __name__ == "__main__":
    main()
