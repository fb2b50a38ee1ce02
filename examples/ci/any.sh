#!/bin/sh
# Any other CI: the exit code says how it went, the folder says why. Starts where the repository is checked out.
set -u
# A data folder that goes with the runner, and settings outside the repository.
export SHEAF_HOME="${SHEAF_HOME:-$(mktemp -d)}"
# This machine is thrown away after the job: it is the sandbox of the checks.
echo 'sandbox: { mode: external }' > "$SHEAF_HOME/sheaf.config.yaml"

sheaf run "${1:-sheaf.yaml}" --report-dir "${REPORTS:-sheaf-report}"
status=$?

case $status in
  0) echo "landed, or nothing to do" ;;
  10) echo "a part of it landed; see summary.md" ;;
  75) echo "worth another try" ;;
  *) echo "did not go well; see summary.md" ;;
esac
exit $status
