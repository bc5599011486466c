"""Every optimizer with its settings, here and in torch."""

# here, torch's arguments for the same
CASES = {
    "SGD": [
        ({"learning_rate": 0.1}, {"lr": 0.1}),
        (
            {"momentum": 0.9, "weight_decay": 0.01},
            {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
        ),
        (
            {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
            {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        ),
        (
            {"learning_rate": 0.1, "momentum": 0.9, "dampening": 0.3},
            {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
        ),
    ],
    "Adam": [
        ({}, {}),
        (
            {
                "learning_rate": 0.01,
                "beta1": 0.8,
                "beta2": 0.95,
                "epsilon": 1e-4,
                "weight_decay": 0.1,
            },
            {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1},
        ),
        ({"learning_rate": 0.01, "amsgrad": True}, {"lr": 0.01, "amsgrad": True}),
    ],
    "NAdam": [
        ({}, {}),
        (
            {"beta1": 0.8, "epsilon": 1e-4, "weight_decay": 0.1, "momentum_decay": 0.02},
            {"betas": (0.8, 0.999), "eps": 1e-4, "weight_decay": 0.1, "momentum_decay": 0.02},
        ),
    ],
    "AdamW": [
        ({}, {}),
        ({"learning_rate": 0.01, "weight_decay": 0.3}, {"lr": 0.01, "weight_decay": 0.3}),
        ({"amsgrad": True, "beta2": 0.9}, {"amsgrad": True, "betas": (0.9, 0.9)}),
    ],
    "RMSprop": [
        ({}, {}),
        (
            {"decay": 0.8, "momentum": 0.7, "weight_decay": 0.1, "epsilon": 1e-5},
            {"alpha": 0.8, "momentum": 0.7, "weight_decay": 0.1, "eps": 1e-5},
        ),
        ({"centered": True}, {"centered": True}),
        ({"centered": True, "momentum": 0.5}, {"centered": True, "momentum": 0.5}),
    ],
    "Adagrad": [
        ({}, {}),
        ({"learning_rate": 0.1, "epsilon": 1e-6}, {"lr": 0.1, "eps": 1e-6}),
        ({"weight_decay": 0.2}, {"weight_decay": 0.2}),
    ],
    "Adadelta": [
        ({}, {}),
        (
            {"learning_rate": 0.3, "decay": 0.7, "epsilon": 1e-4, "weight_decay": 0.1},
            {"lr": 0.3, "rho": 0.7, "eps": 1e-4, "weight_decay": 0.1},
        ),
    ],
}
