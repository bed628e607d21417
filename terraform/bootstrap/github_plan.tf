# The plan role reads how things are set up, not what is in them.

resource "aws_iam_role_policy_attachment" "plan_reads" {
  # checkov:skip=CKV_AWS_274: it is ReadOnlyAccess, less the data, below
  role       = aws_iam_role.github["plan"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_role_policy" "plan" {
  name = "plan"
  role = aws_iam_role.github["plan"].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadState"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = local.state_objects
      },
      {
        Sid      = "SavePlans"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = local.plan_objects
      },
      {
        Sid      = "StateAndPlansAreEncrypted"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = aws_kms_key.this.arn
      },
      {
        # Lambda shows a function's environment only to who may decrypt it; without it every plan would change them.
        Sid       = "SeeTheFunctionsSettings"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = "arn:${local.partition}:kms:*:${local.account}:key/*"
        Condition = { StringLike = { "kms:ViaService" = "lambda.*.amazonaws.com" } }
      },
      {
        Sid      = "DrawOriginSecrets"
        Effect   = "Allow"
        Action   = "secretsmanager:GetRandomPassword"
        Resource = "*"
      },
      {
        Sid    = "NotTheData"
        Effect = "Deny"
        Action = [
          "dynamodb:BatchGetItem",
          "dynamodb:GetItem",
          "dynamodb:GetRecords",
          "dynamodb:PartiQLSelect",
          "dynamodb:Query",
          "dynamodb:Scan",
          "logs:FilterLogEvents",
          "logs:GetLogEvents",
          "logs:GetLogObject",
          "logs:GetLogRecord",
          "logs:GetQueryResults",
          "logs:StartLiveTail",
          "logs:StartQuery",
          "secretsmanager:BatchGetSecretValue",
          "secretsmanager:GetSecretValue",
          "sqs:ReceiveMessage",
          "ssm:GetParameter",
          "ssm:GetParameterHistory",
          "ssm:GetParameters",
          "ssm:GetParametersByPath",
          "xray:BatchGetTraces",
          "xray:GetTraceGraph",
          "xray:GetTraceSummaries",
        ]
        Resource = "*"
      },
      {
        # The site's pages are public, and Terraform looks at them to see whether they are up to date.
        Sid         = "NotOtherObjects"
        Effect      = "Deny"
        Action      = "s3:GetObject"
        NotResource = [local.state_objects, "arn:${local.partition}:s3:::${var.name}-*-site/*"]
      },
      {
        # Old states hold secrets that may still be good, and nothing that a plan needs.
        Sid      = "NotWhatObjectsWere"
        Effect   = "Deny"
        Action   = "s3:GetObjectVersion"
        Resource = "*"
      },
    ]
  })
}
