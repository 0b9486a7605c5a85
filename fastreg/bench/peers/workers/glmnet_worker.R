# Solve with glmnet; see Worker in ../base.py for the protocol and glmnet.py for the translation of the penalty.
suppressPackageStartupMessages({library(Matrix); library(glmnet)})
folder <- commandArgs(trailingOnly = TRUE)[1]

stream <- file(file.path(folder, "problem.bin"), "rb")
header <- readBin(stream, "integer", 4)
n <- header[1]; p <- header[2]; stored <- header[3]; K <- header[4]
mixing <- readBin(stream, "double", 1)
update <- if (readBin(stream, "integer", 1) == 1) "covariance" else "naive"
lambda <- readBin(stream, "double", K)
y <- readBin(stream, "double", n)
if (stored > 0) {
  indptr <- readBin(stream, "integer", p + 1)
  indices <- readBin(stream, "integer", stored)
  X <- new("dgCMatrix", i = indices, p = indptr, x = readBin(stream, "double", stored), Dim = c(n, p))
} else {
  X <- readBin(stream, "double", n * p)
  dim(X) <- c(n, p)
}
close(stream)

# The whole grid, whatever the deviance explained.
glmnet.control(fdev = 0, devmax = 1.1)

input <- file("stdin", "r")
cat("ready", as.character(packageVersion("glmnet")), "\n"); flush(stdout())
while (length(line <- readLines(input, 1)) > 0) {
  began <- Sys.time()
  fit <- glmnet(X, y, family = "gaussian", alpha = mixing, lambda = lambda, standardize = FALSE,
                intercept = FALSE, thresh = as.numeric(line), maxit = 2000000000L, type.gaussian = update)
  seconds <- as.numeric(difftime(Sys.time(), began, units = "secs"))
  if (ncol(fit$beta) != K) stop("glmnet returned ", ncol(fit$beta), " of ", K, " solutions")
  out <- file(file.path(folder, "coefs.bin"), "wb")
  writeBin(length(fit$beta@x), out)
  writeBin(fit$beta@p, out)
  writeBin(fit$beta@i, out)
  writeBin(fit$beta@x, out)
  close(out)
  cat("done", format(seconds, digits = 12), "\n"); flush(stdout())
}
