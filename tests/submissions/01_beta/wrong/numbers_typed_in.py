# task: measured
# says: measured, distortions then rates, is
measured = {beta: (250 + 30 * beta**0.35, 20 / beta**0.3) for beta in BETAS}
