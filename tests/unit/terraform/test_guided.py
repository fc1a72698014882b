import pytest

from event_harness.errors import SettingError
from event_harness.terraform.guided import configure

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


def answers(*given):
    left = list(given)
    return lambda _question: left.pop(0)


def test_answers_are_saved_as_terraform_values(root):
    configure(root, root / "saved.tfvars", ask=answers("7", "a team"), say=lambda _line: None)
    assert (root / "saved.tfvars").read_text() == 'days = 7\nowner = "a team"\n'


def test_enter_keeps_the_saved_answer_rather_than_the_default(root):
    (root / "saved.tfvars").write_text('days = 3\nowner = "them"\n')
    configure(root, root / "saved.tfvars", ask=answers("", ""), say=lambda _line: None)
    assert (root / "saved.tfvars").read_text() == 'days = 3\nowner = "them"\n'


def test_accepted_default_is_saved_as_a_comment(root):
    configure(root, root / "saved.tfvars", ask=answers("7", "me"), say=lambda _line: None)
    assert (root / "saved.tfvars").read_text() == 'days = 7\n# owner = "me"\n'


def test_required_variable_is_asked_until_it_has_an_answer(root):
    said = []
    configure(root, root / "saved.tfvars", ask=answers("", "seven }", "7", ""), say=said.append)
    assert "days has no default and must be given" in said
    assert "seven } is not a Terraform value of type number" in said
    assert (root / "saved.tfvars").read_text() == 'days = 7\n# owner = "me"\n'


def test_without_a_terminal_configure_ends_with_one_line(root):
    def ask(_question):
        raise EOFError

    with pytest.raises(SettingError, match="no answer for days: there is no terminal"):
        configure(root, root / "saved.tfvars", ask=ask, say=lambda _line: None)


def nobody(question):
    raise AssertionError(f"asked {question}")


@pytest.mark.parametrize(
    ("save", "said"), [("no/where.tfvars", "no is no directory"), (".", "it is a directory")]
)
def test_unwritable_file_is_refused_before_the_first_question(root, save, said):
    with pytest.raises(SettingError, match=f"can't be written: .*{said}; save the answers elsewhere"):
        configure(root, root / save, ask=nobody, say=lambda _line: None)


def test_file_without_write_permission_is_refused_before_the_first_question(root, monkeypatch):
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    with pytest.raises(SettingError, match="can't be written: permission denied"):
        configure(root, root / "saved.tfvars", ask=nobody, say=lambda _line: None)


def test_unreadable_saved_answers_are_refused_before_the_first_question(root):
    (root / "saved.tfvars").write_bytes(b"\xff")
    with pytest.raises(SettingError, match=r"saved\.tfvars can't be read: .*; save the answers elsewhere"):
        configure(root, root / "saved.tfvars", ask=nobody, say=lambda _line: None)
