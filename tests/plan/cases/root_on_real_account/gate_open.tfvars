deploy_test_resources = true
permissions_boundary  = "arn:aws:iam::111122223333:policy/shout-boundary"
