"""The catalogue itself, and that the bugs around a commit are found. `make faults` judges all of them."""

from __future__ import annotations

import pytest

from tests.mutants.catalogue import COMMITTED, MUTANTS
from tests.mutants.mutant import ROOT, SIMULATION, Mutant
from tests.mutants.run import judge

IN_CI = [mutant for mutant in COMMITTED if mutant.safety]


def test_mutants_have_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 50


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_is_one_change_that_compiles(mutant: Mutant) -> None:
    """Or it would be found for the wrong reason, or plant nothing at all."""
    source = mutant.source()

    compile(source, mutant.file, "exec")
    assert source != mutant.path.read_text(encoding="utf-8")
    assert mutant.judges == SIMULATION or all((ROOT / judge).exists() for judge in mutant.judges)


@pytest.mark.simulation
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", IN_CI, ids=lambda mutant: mutant.name)
def test_a_bug_around_a_commit_is_found(mutant: Mutant) -> None:
    assert judge(mutant, seeds=200).killed
