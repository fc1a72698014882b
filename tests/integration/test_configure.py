"""`event-harness configure` in a terminal: a secret stays secret, and the file is what Terraform expects."""

import os
import subprocess
import sys

from terminals import Terminal

from event_harness.terraform import toolchain

ROOT = """
variable "password" {
  description = "A secret."
  type        = string
  sensitive   = true
}

variable "text_of_the_owner" {
  description = "Any text."
  type        = string
}

variable "size" {
  description = "A number."
  type        = number
}

output "all" {
  value     = "${var.password}|${var.text_of_the_owner}|${var.size}"
  sensitive = true
}
"""


def test_secret_is_not_shown_and_terraform_reads_every_answer_as_it_was_typed(tmp_path):
    (tmp_path / "main.tf").write_text(ROOT)
    terminal = Terminal([sys.executable, "-m", "event_harness.cli", "configure"], tmp_path)
    terminal.answer("password [required]", 'hunter2 ${x} %{y} "z"', secret=True)
    terminal.answer("size [required]", "five")
    terminal.answer("answer with digits", "5")
    terminal.answer("text_of_the_owner [required]", "naïve ☕ C:\\new")
    assert terminal.end() == 0, terminal.screen
    assert "hunter2" not in terminal.screen
    saved = tmp_path / "deploy.tfvars"
    assert saved.stat().st_mode & 0o777 == 0o600

    tools = toolchain.find(target="local")
    environ = os.environ | tools.environ()

    def terraform(*arguments):
        command = [tools.binary, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)

    terraform("fmt", "-check", "deploy.tfvars")
    terraform("init", "-input=false")
    terraform("apply", "-auto-approve", "-input=false", "-var-file=deploy.tfvars")
    shown = terraform("output", "-raw", "all").stdout
    assert shown == 'hunter2 ${x} %{y} "z"|naïve ☕ C:\\new|5'
