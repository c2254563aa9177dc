"""What the benchmark of the probe times is the same training; time is nobody's test."""

import pytest
import torch

from benchmarks import probe


@pytest.mark.parametrize("make", [probe.digits, probe.bert])
def test_both_loops_run_and_end_alike(make):
    plain, probed = probe.compare(make, 2, 1, outcomes=True)
    assert len(plain) == len(probed) == 1


def test_a_probe_that_changes_the_training_is_found_out(monkeypatch):
    class Disturbs(probe.Probe):
        def record(self, alice_loss, bob_loss):
            super().record(alice_loss, bob_loss)
            torch.rand(1)

    monkeypatch.setattr(probe, "Probe", Disturbs)
    with pytest.raises(ValueError, match="CNN on digits: trained to other weights with the probe"):
        probe.compare(probe.digits, 3, 1, outcomes=False)
