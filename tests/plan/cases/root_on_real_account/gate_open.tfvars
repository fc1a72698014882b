deploy_test_resources = true
