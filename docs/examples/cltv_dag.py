"""A forecast every Monday morning, by Airflow's BashOperator.

The exit code of `cltv` says what to do. Only 1 (a disk or a network folder failed, or another run
is using the output folder) can go away by itself, so only 1 is retried. A wrong pipeline file (2),
an export that breaks the contract (3) and a model that cannot be trusted (4) need somebody to look
at them: the task fails at once, the tasks after it do not run, and last week's results stay where
they are.
"""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

FINAL = (2, 3, 4)


class CltvOperator(BashOperator):
    """A BashOperator that fails without a retry where a retry cannot help."""

    def __init__(self, **arguments):
        super().__init__(skip_on_exit_code=FINAL, **arguments)

    def execute(self, context):
        try:
            return super().execute(context)
        except AirflowSkipException as ended:
            why = str(ended).removesuffix(" Skipping.")
            raise AirflowFailException(f"{why} Another try is no use, see the log.") from ended


with DAG(
    dag_id="cltv",
    schedule="0 5 * * 1",
    start_date=datetime(2026, 1, 5),
    catchup=False,
    max_active_runs=1,
    params={
        "pipeline": Param("/etc/cltv/flo.toml", type="string"),
        "input": Param("/srv/crm/export.csv", type="string"),
        "output": Param("/srv/cltv", type="string"),
    },
):
    forecast = CltvOperator(
        task_id="forecast",
        bash_command=(
            "cltv run '{{ params.pipeline }}' --input '{{ params.input }}'"
            " --output '{{ params.output }}/{{ ds }}' --as-of '{{ ds }}' --strict --quiet"
            " --log-format json --openlineage '{{ params.output }}/lineage.ndjson'"
        ),
        retries=2,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=1),
    )
    publish = BashOperator(
        task_id="publish",
        bash_command="ln -sfn '{{ ds }}' '{{ params.output }}/latest'",
    )
    forecast >> publish
