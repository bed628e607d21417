"""Without Terraform the configuration can't be checked: its tests are not collected then."""

import shutil

collect_ignore = [] if shutil.which("terraform") else ["test_configurations.py"]
