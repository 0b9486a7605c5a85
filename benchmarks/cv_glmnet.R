# cv.glmnet on a dense gaussian problem; see selection.py, which writes the file and reads the answer.
# Usage: Rscript cv_glmnet.R FOLDER REPEATS THRESH...
suppressPackageStartupMessages(library(glmnet))
given <- commandArgs(trailingOnly = TRUE)
folder <- given[1]; repeats <- as.integer(given[2])
stream <- file(file.path(folder, "problem.bin"), "rb")
header <- readBin(stream, "integer", 3)
n <- header[1]; p <- header[2]; K <- header[3]
lambda <- readBin(stream, "double", K)
y <- readBin(stream, "double", n)
foldid <- readBin(stream, "integer", n)
X <- matrix(readBin(stream, "double", n * p), n, p)
close(stream)
# The whole grid, whatever the deviance explained.
glmnet.control(fdev = 0, devmax = 1.1)
for (thresh in as.numeric(given[-(1:2)])) {
  times <- replicate(repeats, {
    began <- Sys.time()
    fit <<- cv.glmnet(X, y, foldid = foldid, lambda = lambda, standardize = FALSE, thresh = thresh, maxit = 1e9)
    as.numeric(difftime(Sys.time(), began, units = "secs"))
  })
  cat(format(min(times), digits = 10), format(fit$cvm, digits = 17), "\n")
}
cat(as.character(packageVersion("glmnet")), "\n")
