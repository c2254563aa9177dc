# Runs a notebook over a grid: a job, which is a papermill process, for each combination of its
# values; then their tables joined, and a report.
#
#     snakemake --cores 2                                     batches/small.yml
#     snakemake --cores 2 --config batch=batches/rq2.yml      another batch
#     snakemake --cores 2 record --config batch=...           and take its tables over into results/
#     snakemake --workflow-profile profiles/slurm             on a cluster
#
# A job is run again when its parameters change, installed versions, or the content of what it is
# declared to depend on: the notebook, the core of the package, and folders of studies. That
# content is a parameter of the rule, a checksum, and no input: of inputs Snakemake compares times
# first, so that it misses an edit with an older one, and takes their checksums when a job ends, so
# that an edit during a long run would pass for what ran.

import os
import shlex
import sys
from pathlib import Path


workdir: workflow.basedir


# A disk that runs full would leave half-written bytecode, which no later run could read.
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
sys.path.insert(0, workflow.basedir)
from ncnet import results, runs
from ncnet.checks import check_choice
from ncnet.companion import batch as batches

# Jobs import the package of this checkout, whatever is installed.
others = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
os.environ["PYTHONPATH"] = os.pathsep.join([workflow.basedir, *others])

try:
    check_choice("config entry", next(iter(config.keys() - {"batch"}), "batch"), ["batch"])
    BATCH = batches.read(str(config.get("batch", "batches/small.yml")))
    if "record" in sys.argv:  # asked for by name: say now what would fail after hours of work
        batches.check_recordable(BATCH)
except ValueError as error:
    sys.exit(f"error: {error}")

RUN = Path("runs") / BATCH.name
JOB = f"{RUN}/jobs/{{job}}"
PYTHON = shlex.quote(sys.executable)
PAPERMILL = f"{PYTHON} -m papermill --no-progress-bar --kernel python3"
# A rule with `run` would start this Python by its path as it stands, spaces and all.
STEP = f"{PYTHON} -m ncnet.companion.batch"
# The report stands alone: nbconvert would load these scripts from elsewhere.
SCRIPTS = " ".join(f"--HTMLExporter.{name}_url=" for name in ("jquery", "mathjax", "require_js"))
# Exercises are for the book's readers.
CELLS = "--TagRemovePreprocessor.enabled=True --TagRemovePreprocessor.remove_cell_tags=book-only"
NBCONVERT = f"{PYTHON} -m nbconvert {SCRIPTS} {CELLS}"
KINDS = ["json", "parquet"]
VERSIONS = [f"{name} {version}" for name, version in results.installed_versions().items()]
JOINING = [BATCH.path, *Path("ncnet/companion/batch").glob("*.py")]
JOINED = expand(f"{RUN}/{{table}}.{{kind}}", table=[*BATCH.tables, "jobs"], kind=KINDS)


localrules:
    all,
    gather,
    report,
    record,


wildcard_constraints:
    job="[^/]+",


rule all:
    default_target: True
    input:
        f"{RUN}/report.html",
        JOINED,


rule job:
    output:
        expand(f"{JOB}/{{table}}.{{kind}}", table=BATCH.tables, kind=KINDS, allow_missing=True),
    log:
        notebook=f"{JOB}/notebook.ipynb",
        text=f"{JOB}/log.txt",
    benchmark:
        f"{JOB}/benchmark.tsv"
    params:
        given=lambda wildcards: runs.to_yaml(BATCH.jobs[wildcards.job]),
        code=batches.checksum(batches.files_of(BATCH.notebook)),
        versions=VERSIONS,
        folder=JOB,
    threads: BATCH.resources.threads
    resources:
        # A job that was killed for its memory or time gets more when it is tried again.
        mem_mb=lambda wildcards, attempt: attempt * BATCH.resources.memory,
        runtime=lambda wildcards, attempt: attempt * BATCH.resources.minutes,
    group:
        "jobs"
    message:
        "{wildcards.job}"
    shell:
        "{PAPERMILL} notebooks/{BATCH.notebook}.ipynb {log.notebook:q}"
        " --parameters_yaml {params.given:q} -p save_to {params.folder:q} 2> {log.text:q}"


rule gather:
    input:
        expand(rules.job.output, job=BATCH.jobs),
    output:
        JOINED,
    params:
        code=batches.checksum(JOINING),
        file=BATCH.path.as_posix(),
    message:
        "joining {BATCH.name}"
    shell:
        "{STEP} gather {BATCH.path:q} {RUN:q}"


rule report:
    input:
        JOINED,
    output:
        f"{RUN}/report.html",
    log:
        notebook=f"{RUN}/report.ipynb",
        text=f"{RUN}/report.txt",
    params:
        code=batches.checksum(batches.files_of("batch")),
        versions=VERSIONS,
    message:
        "report of {BATCH.name}"
    shell:
        "{PAPERMILL} notebooks/batch.ipynb {log.notebook:q} -p folder {RUN:q} 2> {log.text:q}"
        " && {NBCONVERT} --to html --no-input {log.notebook:q} 2>> {log.text:q}"


rule record:
    input:
        JOINED,
    message:
        "recording {BATCH.name}"
    shell:
        "{STEP} record {BATCH.path:q} {RUN:q}"


onstart:
    global PROGRESS
    PROGRESS = batches.Progress(BATCH, RUN)


onsuccess:
    print(PROGRESS.summary())
    if PROGRESS.reported():
        print(f"report: {RUN}/report.html")


onerror:
    print(PROGRESS.summary())
