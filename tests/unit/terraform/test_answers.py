import pytest

from event_harness.errors import ConfigurationError, SettingError
from event_harness.terraform import answers as module
from event_harness.terraform.answers import quoted

ROOT = """
variable "owner" {
  description = "Who answers for it."
  type        = string
  default     = "me"
}
variable "days" {
  description = "How long."
  type        = number
}
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "main.tf").write_text(ROOT)
    return tmp_path


def configure(root, save, *, ask, say=lambda _line: None, **more):
    """Configure with a formatter that changes nothing."""
    secret = {"ask_secretly": lambda question: pytest.fail(f"asked secretly: {question}")}
    module.configure(root, save, ask=ask, say=say, **secret | {"formatted": str} | more)


def answers(*given):
    left = list(given)
    return lambda _question: left.pop(0)


def test_answers_are_saved_as_terraform_values(root):
    configure(root, root / "saved.tfvars", ask=answers("7", "a team"))
    assert (root / "saved.tfvars").read_text() == 'days = 7\nowner = "a team"\n'


def test_enter_keeps_the_saved_answer_rather_than_the_default(root):
    (root / "saved.tfvars").write_text('days = 3\nowner = "them"\n')
    configure(root, root / "saved.tfvars", ask=answers("", ""))
    assert (root / "saved.tfvars").read_text() == 'days = 3\nowner = "them"\n'


def test_accepted_default_is_saved_as_a_comment(root):
    configure(root, root / "saved.tfvars", ask=answers("7", "me"))
    assert (root / "saved.tfvars").read_text() == 'days = 7\n# owner = "me"\n'


def test_required_variable_is_asked_until_it_has_an_answer(root):
    said = []
    configure(root, root / "saved.tfvars", ask=answers("", "seven }", "7", ""), say=said.append)
    assert "days has no default and must be given" in said
    assert "seven } is not a Terraform value of type number: answer with digits, such as 5" in said
    assert (root / "saved.tfvars").read_text() == 'days = 7\n# owner = "me"\n'


def test_without_a_terminal_configure_ends_with_one_line(root):
    def ask(_question):
        raise EOFError

    with pytest.raises(SettingError, match="no answer for days: there is no terminal"):
        configure(root, root / "saved.tfvars", ask=ask)


def nobody(question):
    raise AssertionError(f"asked {question}")


@pytest.mark.parametrize(
    ("save", "said"), [("no/where.tfvars", "no is no directory"), (".", "it is a directory")]
)
def test_unwritable_file_is_refused_before_the_first_question(root, save, said):
    with pytest.raises(SettingError, match=f"can't be written: .*{said}; save the answers elsewhere"):
        configure(root, root / save, ask=nobody)


def test_file_without_write_permission_is_refused_before_the_first_question(root, monkeypatch):
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    with pytest.raises(SettingError, match="can't be written: permission denied"):
        configure(root, root / "saved.tfvars", ask=nobody)


def test_unreadable_saved_answers_are_refused_before_the_first_question(root):
    (root / "saved.tfvars").write_bytes(b"\xff")
    with pytest.raises(SettingError, match=r"saved\.tfvars can't be read: .*; save the answers elsewhere"):
        configure(root, root / "saved.tfvars", ask=nobody)


def root_with(tmp_path, body):
    (tmp_path / "main.tf").write_text(f'variable "it" {{\n  description = "It."\n{body}\n}}\n')
    return tmp_path


@pytest.mark.parametrize(
    ("type_", "answer", "hint"),
    [
        ("bool", "maybe", "answer true or false"),
        ("bool", '"true"', "answer true or false"),
        ("number", "five", "answer with digits"),
        ("number", "5 # and more", "answer with digits"),
        ("list(string)", "a", 'write it like ["a", "b"]'),
        ("map(string)", '["a"]', 'write it like { name = "value" }'),
        ("object({ a = number })", "{ a =", 'write it like { name = "value" }'),
        ("any", "two words", "write a text in quotes"),
    ],
)
def test_answer_of_another_type_is_asked_again(tmp_path, type_, answer, hint):
    root, said = root_with(tmp_path, f"  type = {type_}"), []
    configure(root, root / "saved.tfvars", ask=answers(answer, "null"), say=said.append)
    assert [line for line in said if line.startswith(f"{answer} is not a Terraform value of type ")]
    assert [line for line in said if hint in line]
    assert (root / "saved.tfvars").read_text() == "it = null\n"


@pytest.mark.parametrize(
    ("type_", "answer"),
    [
        ("bool", "false"),
        ("number", "-1.5e3"),
        ("list(string)", '["a", "b"]'),
        ("map(string)", '{ a = "b" }'),
        ("any", '"a text"'),
        ("string", '"quoted"'),
    ],
)
def test_answer_of_the_right_type_is_saved_as_it_is(tmp_path, type_, answer):
    root = root_with(tmp_path, f"  type = {type_}")
    configure(root, root / "saved.tfvars", ask=answers(answer))
    assert (root / "saved.tfvars").read_text() == f"it = {answer}\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("${path.module}", '"$${path.module}"'),
        ("%{ if true }x", '"%%{ if true }x"'),
        ('say "hi" \\ there', '"say \\"hi\\" \\\\ there"'),
        ("na\xefve \u2615 \U0001f600", '"na\xefve \u2615 \U0001f600"'),
        ("\x1b[31m\x08", '"\\U0000001B[31m\\U00000008"'),
    ],
)
def test_text_keeps_every_character(text, written):
    assert quoted(text) == written


def test_answer_to_a_sensitive_variable_is_neither_shown_nor_readable_by_others(tmp_path):
    root = root_with(tmp_path, "  type = string\n  sensitive = true")
    save, said, questions = root / "saved.tfvars", [], []

    def secretly(question):
        questions.append(question)
        return "hunter2" if len(questions) == 1 else ""

    for _ in range(2):  # the second time the saved answer is offered
        configure(root, save, ask=nobody, ask_secretly=secretly, say=said.append)
    assert save.read_text() == 'it = "hunter2"\n'
    assert save.stat().st_mode & 0o777 == 0o600
    assert questions == ["it [required]: ", "it [sensitive]: "]
    assert "hunter2" not in "".join(said)


def test_wrong_answer_to_a_sensitive_variable_is_not_shown(tmp_path):
    root, said = root_with(tmp_path, "  type = number\n  sensitive = true"), []
    secretly = answers("hunter2", "7")
    configure(root, root / "saved.tfvars", ask=nobody, ask_secretly=secretly, say=said.append)
    assert "the answer is not a Terraform value of type number: answer with digits, such as 5" in said
    assert "hunter2" not in "".join(said)


def test_saved_value_of_several_lines_is_offered_whole_and_unknown_ones_are_kept(tmp_path):
    root = root_with(tmp_path, "  type = map(string)")
    saved = 'it = {\n  a = "x = 1"\n}\nother = ["kept"]\n'
    (root / "saved.tfvars").write_text(saved)
    configure(root, root / "saved.tfvars", ask=answers(""))
    assert (root / "saved.tfvars").read_text() == saved


def test_saved_value_that_is_not_valid_is_refused_before_the_first_question(root):
    (root / "saved.tfvars").write_text("days = [1,\n")
    with pytest.raises(SettingError, match=r"saved\.tfvars: the value of days is not valid; correct it"):
        configure(root, root / "saved.tfvars", ask=nobody)


def test_answers_are_formatted_before_they_are_saved(root):
    save = root / "saved.tfvars"
    configure(root, save, ask=answers("7", "a team"), formatted=lambda text: text.replace(" = ", "  = "))
    assert save.read_text() == 'days  = 7\nowner  = "a team"\n'


def test_root_that_is_not_valid_is_refused_before_the_first_question(root):
    """Its variables would be left out of the answers without a word."""
    (root / "broken.tf").write_text('variable "x" {\n')
    with pytest.raises(ConfigurationError, match=r"broken\.tf is not valid, so its variables are unknown"):
        configure(root, root / "saved.tfvars", ask=nobody)
    assert not (root / "saved.tfvars").exists()
