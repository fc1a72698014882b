"""Breaks deployed functions of both systems in the same way, and restores them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks.sample.system import packed
from event_harness.aws.targets import Target

FAULTY = Path(__file__).parent / "faulty_processor"


@contextmanager
def faulty(target: Target, functions: dict[str, Path], fault: str) -> Iterator[None]:
    """Replace the code of these functions by the faulty processor, and restore it afterwards.

    Args:
        target: Where the functions are.
        functions: The name of each function, and the directory of its own code.
        fault: `import`, `wrong`, `late` or `twice`.
    """
    client = target.client("lambda")
    own = {
        name: client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        for name in functions
    }
    with ThreadPoolExecutor(len(own)) as pool:

        def replace_all(directories: dict[str, Path], **further: str) -> None:
            list(pool.map(lambda name: _replace(target, name, directories[name], own[name] | further), own))

        try:
            replace_all(dict.fromkeys(own, FAULTY), FAULT=fault)
            yield
        finally:
            replace_all(functions)


def _replace(target: Target, name: str, directory: Path, variables: dict[str, str]) -> None:
    client = target.client("lambda")
    updated = client.get_waiter("function_updated_v2")
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    updated.wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
    client.update_function_code(FunctionName=name, ZipFile=packed(directory))
    updated.wait(FunctionName=name, WaiterConfig={"Delay": 0.1})


@contextmanager
def gone(target: Target, *tables: str) -> Iterator[None]:
    """Delete tables, and create them again afterwards, empty."""
    client = target.client("dynamodb")
    described = [client.describe_table(TableName=table)["Table"] for table in tables]
    for table in tables:
        client.delete_table(TableName=table)
    try:
        yield
    finally:
        for table in described:
            indexes = [
                {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
                for index in table.get("LocalSecondaryIndexes", [])
            ]
            client.create_table(
                **{name: table[name] for name in ("TableName", "AttributeDefinitions", "KeySchema")},
                **({"LocalSecondaryIndexes": indexes} if indexes else {}),
                BillingMode="PAY_PER_REQUEST",
            )
