# Solve with glmnet; see Worker in ../base.py for the protocol and glmnet.py for the translation of the penalty.
suppressPackageStartupMessages({library(Matrix); library(glmnet)})
folder <- commandArgs(trailingOnly = TRUE)[1]

family <- readLines(file.path(folder, "family.txt"))
stream <- file(file.path(folder, "problem.bin"), "rb")
header <- readBin(stream, "integer", 6)
n <- header[1]; p <- header[2]; stored <- header[3]; K <- header[4]; outputs <- header[5]
intercept <- header[6] == 1
mixing <- readBin(stream, "double", 1)
update <- if (readBin(stream, "integer", 1) == 1) "covariance" else "naive"
lambda <- readBin(stream, "double", K)
y <- readBin(stream, "double", if (family == "cox") 2 * n else n)
if (stored > 0) {
  indptr <- readBin(stream, "integer", p + 1)
  indices <- readBin(stream, "integer", stored)
  X <- new("dgCMatrix", i = indices, p = indptr, x = readBin(stream, "double", stored), Dim = c(n, p))
} else {
  X <- readBin(stream, "double", n * p)
  dim(X) <- c(n, p)
}
close(stream)
# Classes come counted from zero; all of them are named, so that their order is known.
if (family == "binomial") y <- factor(y, levels = 0:1)
if (family == "multinomial") y <- factor(y, levels = 0:(outputs - 1))
if (family == "cox") y <- matrix(y, n, 2, dimnames = list(NULL, c("time", "status")))

# The whole grid, whatever the deviance explained.
glmnet.control(fdev = 0, devmax = 1.1)

input <- file("stdin", "r")
cat("ready", as.character(packageVersion("glmnet")), "\n"); flush(stdout())
while (length(line <- readLines(input, 1)) > 0) {
  began <- Sys.time()
  fit <- glmnet(X, y, family = family, alpha = mixing, lambda = lambda, standardize = FALSE,
                intercept = intercept, thresh = as.numeric(line), maxit = 2000000000L, type.gaussian = update)
  seconds <- as.numeric(difftime(Sys.time(), began, units = "secs"))
  betas <- if (is.list(fit$beta)) fit$beta else list(fit$beta)
  out <- file(file.path(folder, "coefs.bin"), "wb")
  for (beta in betas) {
    if (ncol(beta) != K) stop("glmnet returned ", ncol(beta), " of ", K, " solutions")
    writeBin(length(beta@x), out)
    writeBin(beta@p, out)
    writeBin(beta@i, out)
    writeBin(beta@x, out)
  }
  if (intercept) writeBin(as.double(fit$a0), out)
  close(out)
  cat("done", format(seconds, digits = 12), "\n"); flush(stdout())
}
