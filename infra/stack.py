"""One CloudFormation stack: what state it is in, how it is changed, and what is seen of it meanwhile."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

#: The states in which a stack serves, and can be changed.
_AT_REST = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
#: A first create that failed: nobody has ever used what is left of it, and CloudFormation lets it be deleted only.
_NEVER_MADE = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
#: The mere name of a stack: a change set that was never carried out leaves it.
_NAME_ONLY = "REVIEW_IN_PROGRESS"
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
_WAYS_OUT = {
    "UPDATE_ROLLBACK_FAILED": "An update could not be taken back. Mend what the events name, then: "
    "aws cloudformation continue-update-rollback --stack-name {stack}",
    "UPDATE_FAILED": "An update was stopped half way. Take it back: aws cloudformation rollback-stack --stack-name {stack}",
    "DELETE_FAILED": "It was to be deleted, and could not be: see its events, then delete it again.",
}
_LOOK_SECONDS = 2.0


class DeploymentError(Exception):
    """What went wrong, as a sentence."""


@dataclass
class Stack:
    """A stack in the account and region that boto3 finds; whatever it goes through is printed, line by line."""

    name: str
    _client: Any = field(default_factory=lambda: _client("cloudformation"))

    @property
    def is_there(self) -> bool:
        found = self._description()
        return found is not None and found["StackStatus"] in _AT_REST

    @property
    def outputs(self) -> dict[str, str]:
        return {item["OutputKey"]: item["OutputValue"] for item in self._known().get("Outputs", ())}

    @property
    def parameters(self) -> dict[str, str]:
        """Their values; of a secret one, stars."""
        return {item["ParameterKey"]: item["ParameterValue"] for item in self._known().get("Parameters", ())}

    def settle(self) -> None:
        """Wait for what was begun before, and remove what is left of a first create that failed.

        Afterwards it serves, or is not there. Raises `DeploymentError` with the way out, where there is another state.
        """
        found = self._description()
        if found is not None and found["StackStatus"].endswith("_IN_PROGRESS") and found["StackStatus"] != _NAME_ONLY:
            print(f"The stack is at work since before: {found['StackStatus']}.", flush=True)
            found = self._followed(found["StackId"])
        if found is not None and found["StackStatus"] in _NEVER_MADE:
            print(f"Its first create failed ({found['StackStatus']}): what is left of it is removed.", flush=True)
            self.remove()
            return
        if found is not None and found["StackStatus"] not in _AT_REST | {_NAME_ONLY}:
            way = _WAYS_OUT.get(found["StackStatus"], "See its events.").format(stack=self.name)
            raise DeploymentError(f"The stack {self.name} is in the state {found['StackStatus']}. {way}")

    def change(self, template_url: str, known: frozenset[str], given: Mapping[str, str]) -> None:
        """Create it, or change it, to a template with these parameters; those not `given` keep the value they have.

        Returns once that is done, at once where nothing changes. Raises `DeploymentError`; what could not be changed has
        been taken back by then.
        """
        kind, kept = ("UPDATE", known & self.parameters.keys() - given.keys()) if self.is_there else ("CREATE", frozenset())
        change = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"deploy-{time.time_ns()}",
            ChangeSetType=kind,
            TemplateURL=template_url,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            # On everything that takes them: by these the bill tells one stack from another.
            Tags=[{"Key": "image-repository", "Value": self.name}],
            Parameters=[
                *({"ParameterKey": name, "ParameterValue": value} for name, value in given.items()),
                *({"ParameterKey": name, "UsePreviousValue": True} for name in sorted(kept)),
            ],
        )
        try:
            self._client.get_waiter("change_set_create_complete").wait(ChangeSetName=change["Id"], WaiterConfig={"Delay": 2})
        except WaiterError as error:
            reason = str(error.last_response.get("StatusReason"))
            self._client.delete_change_set(ChangeSetName=change["Id"])
            if any(text in reason for text in _NOTHING_TO_DO):
                return
            raise DeploymentError(f"The change cannot be made: {reason}") from error
        seen = self._events(change["StackId"])
        self._client.execute_change_set(ChangeSetName=change["Id"])
        status = self._followed(change["StackId"], seen)["StackStatus"]
        if status != f"{kind}_COMPLETE":
            raise DeploymentError(f"The stack was rolled back ({status}):\n{self._reasons(change['StackId'], seen)}")

    def remove(self) -> None:
        """Delete it, as far as its own policies let it. Raises `DeploymentError`."""
        stack_id = self._known()["StackId"]
        seen = self._events(stack_id)
        self._client.delete_stack(StackName=stack_id)
        status = self._followed(stack_id, seen)["StackStatus"]
        if status != "DELETE_COMPLETE":
            raise DeploymentError(f"The stack cannot be deleted ({status}):\n{self._reasons(stack_id, seen)}")

    def _followed(self, stack_id: str, seen: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Print each event as it comes, until the stack is at work no more; returns its description then."""
        began = time.monotonic()
        told = dict(self._events(stack_id) if seen is None else seen)
        while True:
            found: dict[str, Any] = self._client.describe_stacks(StackName=stack_id)["Stacks"][0]
            for event in reversed(self._events(stack_id).values()):
                if event["EventId"] not in told:
                    told[event["EventId"]] = event
                    print(_line(event, time.monotonic() - began), flush=True)
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                return found
            time.sleep(_LOOK_SECONDS)

    def _events(self, stack_id: str) -> dict[str, dict[str, Any]]:
        """All of them, newest first, by their ids."""
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        return {event["EventId"]: event for page in pages for event in page["StackEvents"]}

    def _reasons(self, stack_id: str, before: Mapping[str, Any]) -> str:
        failed = [event for name, event in self._events(stack_id).items() if name not in before and _has_failed(event)]
        return "\n".join(f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed[-10:])

    def _known(self) -> dict[str, Any]:
        return self._description() or {}

    def _description(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return found


def _has_failed(event: Mapping[str, Any]) -> bool:
    return bool(event["ResourceStatus"].endswith("_FAILED"))


def _line(event: Mapping[str, Any], seconds: float) -> str:
    reason = f"  {event['ResourceStatusReason']}" if _has_failed(event) and event.get("ResourceStatusReason") else ""
    return f"{int(seconds) // 60:4}:{int(seconds) % 60:02}  {event['ResourceStatus']:28} {event['LogicalResourceId']}{reason}"


def _client(service: str) -> Any:
    make: Any = boto3.client  # only the stubs of S3 are installed
    return make(service)
