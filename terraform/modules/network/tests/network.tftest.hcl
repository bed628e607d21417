mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "ap-southeast-4" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["ap-southeast-4c", "ap-southeast-4a", "ap-southeast-4b"] }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:ap-southeast-4:111122223333:log-group:flow" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/flow" }
  }
}

variables {
  name             = "ledger-test"
  logs_kms_key_arn = "arn:aws:kms:ap-southeast-4:111122223333:key/11111111-2222-3333-4444-555555555555"
}

run "three_zones_each_with_its_own_way_out" {
  command = apply

  assert {
    condition     = length(aws_subnet.private) == 3 && length(aws_subnet.public) == 3
    error_message = "a private and a public subnet in every zone"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_eip.nat) == 3
    error_message = "a NAT gateway in every zone"
  }
  assert {
    condition = alltrue([
      for zone, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[zone].id
    ]) && length(aws_route.nat) == 3
    error_message = "each zone leaves by its own NAT gateway"
  }
  assert {
    condition     = length(distinct(concat([for s in aws_subnet.private : s.cidr_block], [for s in aws_subnet.public : s.cidr_block]))) == 6
    error_message = "no two subnets share addresses"
  }
  assert {
    condition     = length(output.private_subnet_ids) == 3 && length(output.nat_public_ips) == 3
    error_message = "outputs list every zone"
  }
}

run "three_zones_one_way_out" {
  command = apply

  variables { nat_gateways = "single" }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 3
    error_message = "one NAT gateway serves three zones"
  }
  assert {
    condition     = length(distinct([for route in aws_route.nat : route.nat_gateway_id])) == 1
    error_message = "every zone leaves by the same NAT gateway"
  }
}

run "two_zones_each_with_its_own_way_out" {
  command = plan

  variables { az_count = 2 }

  assert {
    condition     = length(aws_nat_gateway.this) == 2 && length(aws_subnet.private) == 2
    error_message = "two zones, two NAT gateways"
  }
}

run "two_zones_one_way_out" {
  command = plan

  variables {
    az_count     = 2
    nat_gateways = "single"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 2
    error_message = "one NAT gateway serves two zones"
  }
}

run "no_way_out" {
  command = plan

  variables { nat_gateways = "none" }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.nat) == 0 && length(aws_eip.nat) == 0
    error_message = "no NAT gateway, no route to one"
  }
}

run "nothing_gets_in" {
  command = apply

  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "the default security group has no rules"
  }
  assert {
    condition     = alltrue([for s in aws_subnet.public : s.map_public_ip_on_launch == false])
    error_message = "nothing gets a public address by being there"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.https.from_port == 443 && aws_vpc_security_group_egress_rule.https.to_port == 443 && aws_vpc_security_group_egress_rule.https.ip_protocol == "tcp"
    error_message = "functions speak HTTPS only"
  }
}

run "flow_logs_are_encrypted_and_kept" {
  command = apply

  assert {
    condition     = aws_cloudwatch_log_group.flow.kms_key_id == var.logs_kms_key_arn && aws_cloudwatch_log_group.flow.retention_in_days == 365
    error_message = "flow logs have a key and a retention"
  }
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_flow_log.this.log_destination == aws_cloudwatch_log_group.flow.arn
    error_message = "all traffic is logged, there"
  }
  assert {
    condition = jsondecode(aws_iam_role.flow.assume_role_policy) == {
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Principal = { Service = "vpc-flow-logs.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
      }]
    }
    error_message = "only flow logs of this account take the role"
  }
  assert {
    condition     = one(jsondecode(aws_iam_role_policy.flow.policy).Statement).Resource == ["${aws_cloudwatch_log_group.flow.arn}:*"]
    error_message = "they may write this log group only"
  }
}

run "gateway_endpoints_reach_this_account_only" {
  command = apply

  assert {
    condition     = toset([for e in aws_vpc_endpoint.gateway : e.service_name]) == toset(["com.amazonaws.ap-southeast-4.dynamodb", "com.amazonaws.ap-southeast-4.s3"])
    error_message = "DynamoDB and S3 have gateway endpoints"
  }
  assert {
    condition     = alltrue([for e in aws_vpc_endpoint.gateway : length(e.route_table_ids) == 3])
    error_message = "every private route table uses them"
  }
  assert {
    condition = alltrue([
      for e in aws_vpc_endpoint.gateway :
      one(jsondecode(e.policy).Statement).Condition.StringEquals == { "aws:PrincipalAccount" = "111122223333", "aws:ResourceAccount" = "111122223333" }
    ])
    error_message = "for this account's principals and resources alone"
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && length(aws_security_group.endpoint) == 0
    error_message = "no interface endpoint unless one is asked for"
  }
}

run "interface_endpoints_on_demand" {
  command = apply

  variables { interface_endpoints = ["events", "sqs"] }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 2 && alltrue([for e in aws_vpc_endpoint.interface : e.private_dns_enabled && length(e.subnet_ids) == 3])
    error_message = "each is in every zone, under the service's own name"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoint[0].referenced_security_group_id == aws_security_group.function.id
    error_message = "only the functions reach them"
  }
}

run "more_zones_than_the_region_has" {
  command = plan

  variables { az_count = 4 }

  expect_failures = [aws_vpc.this]
}

run "one_zone_is_refused" {
  command = plan

  variables { az_count = 1 }

  expect_failures = [var.az_count]
}
