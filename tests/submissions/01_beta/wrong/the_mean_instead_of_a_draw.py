# task: measured
# says: z is the mean: a distortion is that of a draw of z
measured = {}
for beta, model in models.items():
    mean, logvar = model.encode(x_test)
    _, distortion, rate = beta_loss(model.decode(mean), x_test, mean, logvar, beta)
    measured[beta] = (float(distortion), float(rate))
