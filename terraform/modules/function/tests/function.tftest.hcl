# A function as it should be: traced, logged, encrypted, published, and allowed little.

mock_provider "aws" {
  source = "../../tests/aws"
}

variables {
  name        = "ledger-test-relay"
  description = "Publishes the event table's stream to the bus"
  scope       = { partition = "aws", region = "ap-southeast-4", account_id = "111122223333" }
  handler     = "projections.handlers.relay.handler"
  package     = { image_uri = "111122223333.dkr.ecr.ap-southeast-4.amazonaws.com/ledger@sha256:0000000000000000000000000000000000000000000000000000000000000000" }
  keys        = { logs = "arn:aws:kms:ap-southeast-4:111122223333:key/cccccccc-2222-3333-4444-555555555555", secrets = "arn:aws:kms:ap-southeast-4:111122223333:key/dddddddd-2222-3333-4444-555555555555" }
  network     = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
  environment = { LEDGER_STORE = "dynamodb:ledger-test" }
}

run "an_image_with_its_command" {
  assert {
    condition = (
      aws_lambda_function.this.package_type == "Image" && aws_lambda_function.this.image_uri == var.package.image_uri &&
      aws_lambda_function.this.image_config[0].command[0] == var.handler && aws_lambda_function.this.handler == null && aws_lambda_function.this.architectures[0] == "arm64"
    )
    error_message = "The image is run with the function's command."
  }

  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "Active" && aws_lambda_function.this.kms_key_arn == var.keys.secrets && aws_lambda_function.this.publish
    error_message = "Functions are traced, their environment is encrypted, their versions published."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/lambda/ledger-test-relay" && aws_cloudwatch_log_group.this.kms_key_id == var.keys.logs && aws_cloudwatch_log_group.this.retention_in_days == 90
    error_message = "Logs are encrypted and end."
  }

  assert {
    condition     = aws_lambda_alias.live.name == "live" && aws_lambda_alias.live.function_version == aws_lambda_function.this.version
    error_message = "`live` is the newest version."
  }

  assert {
    condition     = aws_lambda_function.this.vpc_config[0].subnet_ids == toset(["subnet-1", "subnet-2"])
    error_message = "Functions run in the private subnets."
  }

  assert {
    condition     = length(aws_lambda_function.this.snap_start) == 0
    error_message = "Snapshots only where they are asked for."
  }
}

run "it_may_do_little" {
  assert {
    condition     = toset([for statement in output.policy.Statement : statement.Sid]) == toset(["WriteItsLogs", "SendTraces", "ReadItsEnvironment", "InterfacesInTheNetwork", "InterfacesAreLambdasBusiness"])
    error_message = "Logs, traces, its environment, its network interfaces."
  }

  assert {
    condition     = one([for statement in output.policy.Statement : statement if statement.Sid == "InterfacesAreLambdasBusiness"]).Condition.ArnEquals["lambda:SourceFunctionArn"] == "arn:aws:lambda:ap-southeast-4:111122223333:function:ledger-test-relay"
    error_message = "The function's own code is denied what Lambda does for it."
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Principal.Service == "lambda.amazonaws.com"
    error_message = "Lambda, and nobody else, takes the role."
  }
}

run "without_a_network" {
  variables {
    network = null
  }

  assert {
    condition     = length([for statement in output.policy.Statement : statement if startswith(statement.Sid, "Interfaces")]) == 0 && length(aws_lambda_function.this.vpc_config) == 0
    error_message = "No interfaces, no permission for them."
  }
}

run "restored_from_a_snapshot" {
  variables {
    package              = { zip_file = "tests/function.tftest.hcl" } # any file will do
    snap_start           = true
    reserved_concurrency = 5
  }

  assert {
    condition     = aws_lambda_function.this.snap_start[0].apply_on == "PublishedVersions" && aws_lambda_function.this.reserved_concurrent_executions == 5
    error_message = "Published versions are restored from snapshots; concurrency is set aside."
  }
}

run "no_snapshots_of_images" {
  command = plan

  variables {
    snap_start = true
  }

  expect_failures = [var.snap_start]
}

run "no_snapshots_of_old_pythons" {
  command = plan

  variables {
    package    = { zip_file = "tests/function.tftest.hcl", runtime = "python3.11" }
    snap_start = true
  }

  expect_failures = [var.snap_start]
}

run "image_or_zip" {
  command = plan

  variables {
    package = {}
  }

  expect_failures = [var.package]
}
