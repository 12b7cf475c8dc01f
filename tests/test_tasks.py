"""Task files: what is shipped, and what is said of a file that is not right."""

import re
from itertools import pairwise

import pytest

from sampler_bench import load_task
from sampler_bench.errors import InputError
from sampler_bench.models.model import Prompt
from sampler_bench.tasks import Catalog

GOOD = """
title = "Multiples of seven"
version = 1
phrase = "3-digit multiple of 7"
[target]
family = "multiples"
digits = 3
modulus = 7
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sevens.toml").write_text(GOOD)
    return tmp_path


@pytest.mark.parametrize("name", Catalog().task_names())
def test_every_shipped_task_loads_and_a_length_in_its_name_is_that_of_the_numbers(name):
    task, length = load_task(name), name.rpartition("-")[2]
    if length.isdigit() and not name.startswith("monty"):
        assert task.target.fixed
        assert task.target.digits == int(length)
        assert f"{length}-digit" in task.phrase


def test_the_spectrum_goes_from_two_members_to_all_numbers_through_fourteen_families():
    catalog = Catalog()
    tasks = [catalog.task(name) for name in catalog.suite("spectrum").tasks]
    sizes = [task.target.count("") for task in tasks]
    assert sizes[0] == 2
    assert sizes[-1] == 9 * 10**11
    assert sizes == sorted(sizes)
    assert all(larger < 1000 * smaller for smaller, larger in pairwise(sizes))
    assert len({task.target_definition["family"] for task in tasks}) >= 13
    assert len(tasks) >= 14


@pytest.mark.parametrize("name", Catalog().suite_names())
def test_every_task_of_a_shipped_suite_exists(name):
    catalog = Catalog()
    assert set(catalog.suite(name).tasks) <= set(catalog.task_names())


def test_a_task_of_the_users_own_is_found(folder):
    assert load_task("sevens", [folder]).target.contains("700")


def test_a_task_stands_for_a_suite_of_itself(folder):
    assert Catalog([folder]).suite("sevens").tasks == ["sevens"]


def test_a_change_of_content_changes_the_fingerprint_and_nothing_else_does(folder):
    before = load_task("sevens", [folder]).fingerprint
    (folder / "sevens.toml").write_text("# a comment\n" + GOOD)
    assert load_task("sevens", [folder]).fingerprint == before
    (folder / "sevens.toml").write_text(GOOD.replace("modulus = 7", "modulus = 8"))
    assert load_task("sevens", [folder]).fingerprint != before


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "version = 1",
            "verson = 1",
            "unknown key 'verson'; the keys are title, version, phrase, control, target",
        ),
        ("version = 1", "", "key 'version' is missing"),
        ("version = 1", 'version = "1"', "version = '1': Input should be a valid integer"),
        ("version = 1", "version = 0", "version = 0: Input should be greater than or equal to 1"),
        ("version = 1", "name = 'x'", "key 'name' has no place here"),
        ("version = 1", "version = ", "Invalid value (at line 3"),
        (
            '"multiples"',
            '"multipels"',
            "'multipels' is not known; choose from automaton, constellation, digit-sums",
        ),
        ("digits = 3", "digits = 0", "digits = 0: a number has at least 1 digit"),
        ("digits = 3", 'digits = "3"', "digits = '3': Input should be a valid integer"),
        ("digits = 3", "", "key 'digits' is missing"),
        ("modulus = 7", "modulo = 7", "unknown key 'modulo'; the keys are family, digits, modulus, residue"),
    ],
)
def test_a_wrong_file_is_named_with_the_key_and_the_choices(folder, old, new, reason):
    (folder / "sevens.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(InputError, match=re.escape(reason)) as caught:
        load_task("sevens", [folder])
    assert "sevens.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "reason"), [(r"\d+", "has 0"), (r"(\d)(\d)", "has 2"), ("(", "not a regular expression")]
)
def test_an_answer_rule_without_exactly_one_group_is_refused(folder, answer, reason):
    (folder / "arms").mkdir()
    shipped = (Catalog()._files("arm")["direct"]).read_text()
    (folder / "arms" / "odd.toml").write_text(
        re.sub(r"answer = .*", lambda _: f"answer = '{answer}'", shipped)
    )
    with pytest.raises(InputError, match=reason):
        Catalog([folder]).arm("odd")


@pytest.mark.parametrize("name", Catalog().arm_names())
def test_every_shipped_arm_has_three_wordings(name):
    for arm in Catalog().arms(name):
        assert len(arm.paraphrases) >= 3
        shown = [Prompt(Catalog().task("even-6"), arm, paraphrase) for paraphrase in arm.paraphrases]
        assert len({prompt.hash for prompt in shown}) == len(shown)
        for prompt in shown:
            asked = prompt.text or prompt.messages[-1]["content"]
            assert "6-digit even number" in asked
            assert "{" not in asked


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('conditionals = "start"', 'conditionals = "trace"', "need a lead"),
        ('take = "first"', 'take = "all"', "several answers go together"),
        ("tokens = 16", 'tokens = 16\nthinking_end = "x"', "thinking_end and budgets go together"),
        ('name = "generator"', 'name = "plain"', "two paraphrases have one name: plain, plain, question"),
        ("A random {phrase}.", "A random number.", "{phrase} stands nowhere in it"),
        ("messages = [", "text = '{phrase}'\nmessages = [", "needs either messages"),
    ],
)
def test_an_arm_that_does_not_fit_together_is_refused(folder, old, new, reason):
    (folder / "arms").mkdir()
    shipped = (Catalog()._files("arm")["direct"]).read_text()
    assert old in shipped
    (folder / "arms" / "odd.toml").write_text(shipped.replace(old, new, 1))
    with pytest.raises(InputError, match=re.escape(reason)):
        Catalog([folder]).arm("odd")


def test_a_name_close_to_a_task_is_suggested():
    with pytest.raises(InputError, match="unknown task 'twin-prime-3'; did you mean 'twin-primes-3'"):
        load_task("twin-prime-3")


@pytest.mark.parametrize("kind", ["task", "arm", "suite"])
@pytest.mark.parametrize(
    "name", ["(overall)", "a b", "-a", ".a", "+a", "=a", "a|b", "a\nb", "ä", "[a]", "a,b", "x" * 101, "a:b"]
)
def test_a_name_that_could_act_somewhere_is_refused_with_its_file(tmp_path, kind, name):
    folder = tmp_path / {"task": ".", "arm": "arms", "suite": "suites"}[kind]
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(GOOD)
    with pytest.raises(InputError, match=f"the name of a {kind} is 1 to 100 of the letters") as caught:
        getattr(Catalog([tmp_path]), f"{kind}_names")()
    assert str(folder / f"{name}.toml") in str(caught.value)


@pytest.mark.parametrize("name", ["skill", "_a", "A.b-c+d", "0", "x" * 100])
def test_any_other_name_will_do(tmp_path, name):
    (tmp_path / f"{name}.toml").write_text(GOOD)
    assert load_task(name, [tmp_path]).name == name


def test_two_tasks_of_one_name_are_refused(folder):
    (folder / "even-6.toml").write_text(GOOD)
    with pytest.raises(InputError, match="two tasks are named 'even-6'"):
        load_task("even-6", [folder])


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="no folder of tasks at"):
        Catalog([tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ('family = "multiples"\ndigits = 1\nmodulus = 100\nresidue = 50', "is empty: no 1-digit number fits"),
        ('family = "constellation"\ndigits = 4\nforms = "n,n+2,n+4"', "inadmissible: 3 always divides one"),
        ('family = "twin-primes"\ndigits = 1001', "up to 1000 digits"),
        ('family = "pattern"\ndigits = 4\npattern = "[0-9]{5}"', "is empty: no 4-digit number fits"),
        (
            'family = "automaton"\ndigits = 4\nstart = "a"\naccept = ["b"]\n[target.moves.a]\n"1" = "a"\n'
            '[target.moves.b]\n"1" = "b"',
            "no digits lead from state 'a' to accepting b",
        ),
        (
            'family = "mixture"\nweights = [0.5, 0.6]\n'
            '[[target.components]]\nfamily = "palindromes"\ndigits = 3\n'
            '[[target.components]]\nfamily = "range"\nlow = 1\nhigh = 9',
            "sum to 1.1, not to 1; normalise = true",
        ),
        (
            'family = "distribution"\ndigits = 2\nlaw = "poisson"\n[target.parameters]\nmu = "4"',
            "parameters.mu = '4': Input should be a valid number",
        ),
        ('family = "monty-hall"\nhost = "sleeps"', "host = 'sleeps'"),
        ('family = "range"\nlow = 9\nhigh = 1', "low = 9, high = 1"),
        ('family = "sieved"\ndigits = 30\nforms = "primes"\ny = 1', "y = 1"),
    ],
)
def test_a_target_that_makes_no_sense_is_reported_with_its_file(tmp_path, target, reason):
    (tmp_path / "wrong.toml").write_text(f'title = "t"\nversion = 1\nphrase = "p"\n[target]\n{target}\n')
    with pytest.raises(InputError, match=r"wrong\.toml, \[target\]: ") as caught:
        load_task("wrong", [tmp_path])
    assert reason in str(caught.value)
