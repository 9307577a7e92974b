"""What of IAM, STS and the services that run code gives its caller more than it was given.

AWS: IAM User Guide, "Permissions required to access IAM resources" and "Grant a user permissions to pass a role to an
AWS service"; Service Authorization Reference, the actions that are named here.
"""

from __future__ import annotations

from dataclasses import dataclass

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@dataclass(frozen=True, slots=True)
class OwnStep:
    """An action on somebody's own policies. `key`: the condition key that names the policy which it attaches."""

    action: str
    says: str
    key: str = ""
    frees: bool = False
    """It takes the boundary away, rather than granting anything."""


USER_STEPS = (
    OwnStep("iam:PutUserPolicy", "writes an inline policy of {} that allows everything"),
    OwnStep("iam:AttachUserPolicy", "attaches AdministratorAccess to {}", "iam:policyarn"),
)
ROLE_STEPS = (
    OwnStep("iam:PutRolePolicy", "writes an inline policy of {} that allows everything"),
    OwnStep("iam:AttachRolePolicy", "attaches AdministratorAccess to {}", "iam:policyarn"),
)
GROUP_STEPS = (
    OwnStep("iam:PutGroupPolicy", "writes an inline policy of group {} that allows everything"),
    OwnStep("iam:AttachGroupPolicy", "attaches AdministratorAccess to group {}", "iam:policyarn"),
)
POLICY_STEPS = (
    OwnStep("iam:CreatePolicyVersion", "makes a new default version of {} that allows everything"),
    OwnStep("iam:SetDefaultPolicyVersion", "takes an older version of {}, which may allow more"),
)
USER_FREEING = (
    OwnStep("iam:DeleteUserPermissionsBoundary", "takes the boundary of {} away", frees=True),
    OwnStep("iam:PutUserPermissionsBoundary", "gives {} a boundary that allows everything", "iam:permissionsboundary"),
)
ROLE_FREEING = (
    OwnStep("iam:DeleteRolePermissionsBoundary", "takes the boundary of {} away", frees=True),
    OwnStep("iam:PutRolePermissionsBoundary", "gives {} a boundary that allows everything", "iam:permissionsboundary"),
)
USER_DOORS = (
    ("iam:CreateAccessKey", "makes an access key of {}"),
    ("iam:CreateLoginProfile", "gives {} a password of its choice"),
    ("iam:UpdateLoginProfile", "gives {} another password"),
)
USER_SIDE_DOORS = (
    "iam:CreateServiceSpecificCredential",
    "iam:ResetServiceSpecificCredential",
    "iam:UploadSSHPublicKey",
    "iam:UploadSigningCertificate",
)
"""What makes credentials that a few services take: CodeCommit, Keyspaces, Bedrock, the old interfaces of EC2."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A service that runs what it is told with a role: all of `actions` have it run."""

    service: str
    actions: tuple[str, ...]


RUNNERS = (
    Runner("ec2.amazonaws.com", ("ec2:RunInstances",)),
    Runner("ec2.amazonaws.com", ("ec2:RequestSpotInstances",)),
    Runner("ec2.amazonaws.com", ("ec2:RequestSpotFleet",)),
    Runner("ec2.amazonaws.com", ("ec2:CreateLaunchTemplate", "ec2:CreateFleet")),
    Runner("ec2.amazonaws.com", ("ec2:CreateLaunchTemplate", "autoscaling:CreateAutoScalingGroup")),
    Runner("ec2.amazonaws.com", ("autoscaling:CreateLaunchConfiguration", "autoscaling:CreateAutoScalingGroup")),
    Runner("ec2.amazonaws.com", ("elasticmapreduce:RunJobFlow",)),
    Runner("lambda.amazonaws.com", ("lambda:CreateFunction", "lambda:InvokeFunction")),
    Runner("lambda.amazonaws.com", ("lambda:CreateFunction", "lambda:AddPermission")),
    Runner("lambda.amazonaws.com", ("lambda:CreateFunction", "lambda:CreateEventSourceMapping")),
    Runner("lambda.amazonaws.com", ("lambda:CreateFunction", "lambda:CreateFunctionUrlConfig")),
    Runner("ecs-tasks.amazonaws.com", ("ecs:RegisterTaskDefinition", "ecs:RunTask")),
    Runner("ecs-tasks.amazonaws.com", ("ecs:RegisterTaskDefinition", "ecs:StartTask")),
    Runner("ecs-tasks.amazonaws.com", ("ecs:RegisterTaskDefinition", "ecs:CreateService")),
    Runner("ecs-tasks.amazonaws.com", ("ecs:RegisterTaskDefinition", "ecs:UpdateService")),
    Runner("cloudformation.amazonaws.com", ("cloudformation:CreateStack",)),
    Runner("cloudformation.amazonaws.com", ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet")),
    Runner("cloudformation.amazonaws.com", ("cloudformation:CreateStackSet", "cloudformation:CreateStackInstances")),
    Runner("glue.amazonaws.com", ("glue:CreateDevEndpoint",)),
    Runner("glue.amazonaws.com", ("glue:CreateSession", "glue:RunStatement")),
    Runner("glue.amazonaws.com", ("glue:CreateJob", "glue:StartJobRun")),
    Runner("sagemaker.amazonaws.com", ("sagemaker:CreateNotebookInstance",)),
    Runner("sagemaker.amazonaws.com", ("sagemaker:CreateTrainingJob",)),
    Runner("sagemaker.amazonaws.com", ("sagemaker:CreateProcessingJob",)),
    Runner("sagemaker.amazonaws.com", ("sagemaker:CreateHyperParameterTuningJob",)),
    Runner("codebuild.amazonaws.com", ("codebuild:CreateProject", "codebuild:StartBuild")),
    Runner("states.amazonaws.com", ("states:CreateStateMachine", "states:StartExecution")),
    Runner("states.amazonaws.com", ("states:CreateStateMachine", "states:StartSyncExecution")),
    Runner("ssm.amazonaws.com", ("ssm:StartAutomationExecution",)),
    Runner("scheduler.amazonaws.com", ("scheduler:CreateSchedule",)),
    Runner("events.amazonaws.com", ("events:PutRule", "events:PutTargets")),
    Runner("datapipeline.amazonaws.com", ("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition")),
    Runner("tasks.apprunner.amazonaws.com", ("apprunner:CreateService",)),
)


@dataclass(frozen=True, slots=True)
class Takeover:
    """Actions, each of which tells something that is there, and runs with a role, what to do.

    What runs with which role an account's details do not say. `runs_as`: the service, or the sort of provider.
    """

    runs_as: str
    actions: tuple[str, ...]
    says: str


TAKEOVERS = (
    Takeover(
        "ec2.amazonaws.com",
        (
            *("ssm:SendCommand", "ssm:StartSession", "ec2-instance-connect:SendSSHPublicKey"),
            *("ec2-instance-connect:SendSerialConsoleSSHPublicKey", "ec2:ModifyInstanceAttribute"),
            *("ec2:AssociateIamInstanceProfile", "ec2:ReplaceIamInstanceProfileAssociation"),
        ),
        "may log in to instances, tell them what to run, or give them another role",
    ),
    Takeover(
        "lambda.amazonaws.com",
        ("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:PublishLayerVersion"),
        "may change what functions run",
    ),
    Takeover(
        "ecs-tasks.amazonaws.com", ("ecs:ExecuteCommand", "ecs:RunTask", "ecs:StartTask"), "may run commands in tasks"
    ),
    Takeover(
        "cloudformation.amazonaws.com",
        ("cloudformation:UpdateStack", "cloudformation:CreateChangeSet", "cloudformation:UpdateStackSet"),
        "may change stacks",
    ),
    Takeover(
        "codebuild.amazonaws.com",
        ("codebuild:StartBuild", "codebuild:StartBuildBatch", "codebuild:UpdateProject"),
        "may change what projects build",
    ),
    Takeover(
        "glue.amazonaws.com", ("glue:UpdateDevEndpoint", "glue:UpdateJob", "glue:CreateSession"), "may change jobs"
    ),
    Takeover(
        "sagemaker.amazonaws.com",
        (
            *("sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker:CreatePresignedDomainUrl"),
            "sagemaker:UpdateNotebookInstanceLifecycleConfig",
        ),
        "may open notebooks",
    ),
    Takeover("states.amazonaws.com", ("states:UpdateStateMachine",), "may change state machines"),
    Takeover("datapipeline.amazonaws.com", ("datapipeline:PutPipelineDefinition",), "may change pipelines"),
    Takeover(
        "saml-provider",
        ("iam:UpdateSAMLProvider", "iam:CreateSAMLProvider"),
        "may say whom an identity provider vouches for",
    ),
    Takeover(
        "oidc-provider",
        (
            *("iam:CreateOpenIDConnectProvider", "iam:UpdateOpenIDConnectProviderThumbprint"),
            "iam:AddClientIDToOpenIDConnectProvider",
        ),
        "may say whom an identity provider vouches for",
    ),
)
