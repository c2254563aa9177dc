"""Tasks on text: the published ones of the paper, and some whose text is made here.

`load` draws training and held-out items of any of `TASKS`: from a local folder, or from the
Hugging Face hub at a pinned commit.

==========================  =====================================================================
``sst2``                    a phrase from a film review: does it approve?
``mrpc``                    two sentences from the news: do they say the same?
``commonsense_qa``          an everyday question with five choices
``mathqa``                  a word problem with five choices
``paws_x/LANGUAGE``         two sentences with nearly the same words, in ``en``, ``de``, ``fr``,
                            ``es``, ``zh``, ``ja`` or ``ko``: do they say the same?
``toy/mood``                made here, easy: a sentence with one glad or gloomy word
``toy/same``                made here: two sentences, one word of which may differ
``toy/which``               made here: which of five animals has the thing?
``toy/sum``                 made here, hard: how many are left, out of five numbers
``toy_pairs/LANGUAGE``      made here: two sentences of the same words, in one of four invented
                            languages, ``avelic``, ``borun``, ``cimtar`` and ``dushan``: do they
                            say the same?
==========================  =====================================================================
"""

from ncnet.datasets.doses import shuffled_labels
from ncnet.datasets.items import Item, TaskData
from ncnet.datasets.loading import CLASSES, TASKS, load
