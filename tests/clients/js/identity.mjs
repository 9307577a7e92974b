// Who the SDK's default chain of credentials makes of a program: prints the ARN.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const { Arn } = await new STSClient().send(new GetCallerIdentityCommand());
console.log(Arn);
