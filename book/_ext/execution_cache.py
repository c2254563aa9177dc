"""Never answer an edit of the package or of recorded data with an old number.

The execution cache of MyST-NB knows the code of a notebook, not the code and data which that
notebook reads, and Sphinx keeps pages whose own source is unchanged. So the cache lives in a
folder named by a digest of all three things that a number can depend on: the package, the
recorded results and the locked versions. Another digest is another, empty cache; it is also a
changed setting, so that Sphinx reads every page again. Within it, an executed page is found by the
code of its cells. All of it may be deleted: pages are then executed again.

And build without a C++ compiler: trainings are slower then, which the pages say themselves.
"""

import os
from pathlib import Path

from ncnet.files import checksum, code_of

ROOT = Path(__file__).resolve().parents[2]


def content_digest(root):
    """Return a digest of the package, the recorded results and the lock under `root`."""
    found = (*root.glob("results/**/*"), root / "requirements.txt")
    files = [*code_of(root / "ncnet"), *(path for path in found if path.is_file())]
    return checksum(files, root)


def set_cache_path(app, config):
    """Point the execution cache to the folder of this content."""
    build_folder = Path(app.outdir).parent.resolve()
    cache = build_folder / ".jupyter_cache" / content_digest(ROOT)[:16]
    config.nb_execution_cache_path = str(cache)


def let_kernels_train_eagerly():
    """Keep the warning that there is no compiler from failing the build."""
    already = os.environ.get("PYTHONWARNINGS")
    filters = [already] if already else []
    filters.append("ignore:training eagerly:RuntimeWarning")
    os.environ["PYTHONWARNINGS"] = ",".join(filters)


def setup(app):
    """Connect to Sphinx."""
    let_kernels_train_eagerly()
    app.connect("config-inited", set_cache_path)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
