# What the mocked provider answers where the configuration wants more than any text: ARNs, mostly.
# The same for every instance, so policies are written from names, not from these.

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "111122223333"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition  = "aws"
    dns_suffix = "amazonaws.com"
  }
}

mock_data "aws_region" {
  defaults = {
    id   = "us-east-1"
    name = "us-east-1"
  }
}

mock_resource "aws_kms_key" {
  defaults = {
    arn    = "arn:aws:kms:ap-southeast-4:111122223333:key/11111111-2222-3333-4444-555555555555"
    key_id = "11111111-2222-3333-4444-555555555555"
  }
}

mock_resource "aws_dynamodb_table" {
  defaults = {
    arn        = "arn:aws:dynamodb:ap-southeast-4:111122223333:table/a-table"
    stream_arn = "arn:aws:dynamodb:ap-southeast-4:111122223333:table/a-table/stream/2026-11-01T00:00:00.000"
  }
}

mock_resource "aws_sqs_queue" {
  defaults = {
    arn = "arn:aws:sqs:ap-southeast-4:111122223333:a-queue"
    url = "https://sqs.ap-southeast-4.amazonaws.com/111122223333/a-queue"
    id  = "https://sqs.ap-southeast-4.amazonaws.com/111122223333/a-queue"
  }
}

mock_resource "aws_sns_topic" {
  defaults = {
    arn = "arn:aws:sns:ap-southeast-4:111122223333:a-topic"
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn = "arn:aws:iam::111122223333:role/a-role"
    id  = "a-role"
  }
}

mock_resource "aws_lambda_function" {
  defaults = {
    arn        = "arn:aws:lambda:ap-southeast-4:111122223333:function:a-function"
    version    = "1"
    invoke_arn = "arn:aws:apigateway:ap-southeast-4:lambda:path/2015-03-31/functions/arn:aws:lambda:ap-southeast-4:111122223333:function:a-function/invocations"
  }
}

mock_resource "aws_lambda_alias" {
  defaults = {
    arn        = "arn:aws:lambda:ap-southeast-4:111122223333:function:a-function:live"
    invoke_arn = "arn:aws:apigateway:ap-southeast-4:lambda:path/2015-03-31/functions/arn:aws:lambda:ap-southeast-4:111122223333:function:a-function:live/invocations"
  }
}

mock_resource "aws_cloudwatch_event_bus" {
  defaults = {
    arn = "arn:aws:events:ap-southeast-4:111122223333:event-bus/a-bus"
  }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:ap-southeast-4:111122223333:log-group:a-group"
  }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = {
    arn = "arn:aws:secretsmanager:ap-southeast-4:111122223333:secret:a-secret-AbCdEf"
    id  = "arn:aws:secretsmanager:ap-southeast-4:111122223333:secret:a-secret-AbCdEf"
  }
}

mock_resource "aws_cloudfront_distribution" {
  defaults = {
    id             = "E1ABCDEFGHIJKL"
    arn            = "arn:aws:cloudfront::111122223333:distribution/E1ABCDEFGHIJKL"
    domain_name    = "d111111abcdef8.cloudfront.net"
    hosted_zone_id = "Z2FDTNDATAQYW2"
  }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = {
    arn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/ledger/11111111-2222-3333-4444-555555555555"
  }
}

mock_resource "aws_cloudwatch_log_delivery_destination" {
  defaults = {
    arn = "arn:aws:logs:us-east-1:111122223333:delivery-destination:ledger"
  }
}

mock_resource "aws_cognito_user_pool" {
  defaults = {
    id  = "ap-southeast-4_AbCdEfGhI"
    arn = "arn:aws:cognito-idp:ap-southeast-4:111122223333:userpool/ap-southeast-4_AbCdEfGhI"
  }
}

mock_resource "aws_apigatewayv2_api" {
  defaults = {
    id            = "a1b2c3d4e5"
    execution_arn = "arn:aws:execute-api:ap-southeast-4:111122223333:a1b2c3d4e5"
    api_endpoint  = "https://a1b2c3d4e5.execute-api.ap-southeast-4.amazonaws.com"
    arn           = "arn:aws:apigateway:ap-southeast-4::/apis/a1b2c3d4e5"
  }
}

mock_resource "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-3333-4444-555555555555"
  }
}

mock_resource "aws_s3_bucket" {
  defaults = {
    arn                         = "arn:aws:s3:::a-bucket"
    id                          = "a-bucket"
    bucket_regional_domain_name = "a-bucket.s3.ap-southeast-4.amazonaws.com"
  }
}

mock_data "aws_availability_zones" {
  defaults = {
    names    = ["ap-southeast-4a", "ap-southeast-4b", "ap-southeast-4c"]
    zone_ids = ["apse4-az1", "apse4-az2", "apse4-az3"]
  }
}
