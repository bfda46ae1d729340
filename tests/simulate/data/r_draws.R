#!/usr/bin/env Rscript
# What R draws: the answers that tests/simulate/replay/ holds `ms.RSeed` against.
#
#   Rscript r_draws.R        run in this folder; writes verbs.json and script.csv
#
# verbs.json: for every call and seed the first and last four of 2,000 values, a weighted sum of all of them, and the
# uniform number that comes next, which shows that exactly as many random numbers were used up.
# script.csv: a clustered study drawn as R scripts draw one, column by column.

RNGkind("Mersenne-Twister", "Inversion", "Rejection") # the defaults since R 3.6.0
seeds <- c(0, 1, 123, -5, 2147483647)
n <- 2000

# The arguments have mixedsim's names.
verbs <- list(
  rnorm = function(n, mean, sd) rnorm(n, mean, sd),
  runif = function(n, low, high) runif(n, low, high),
  rlnorm = function(n, meanlog, sdlog) rlnorm(n, meanlog, sdlog),
  rexp = function(n, rate) rexp(n, rate),
  rbinom = function(n, size, prob) rbinom(n, size, prob),
  rpois = function(n, mean) rpois(n, mean),
  sample = function(x, size, replace, prob = NULL) sample(x, size, replace, prob)
)

call <- function(verb, ...) list(verb = verb, arguments = list(...))
calls <- c(
  list(call("rnorm", n = n, mean = 0, sd = 1), call("rnorm", n = n, mean = c(-3, 1e6, 5), sd = c(2, 0.5)),
       call("rnorm", n = n, mean = c(1, 2), sd = c(0, 1, 3)),
       call("rlnorm", n = n, meanlog = 2, sdlog = c(0.5, 0)),
       call("runif", n = n, low = 0, high = 1), call("runif", n = n, low = c(-2, 0, 4), high = c(5, 4)),
       call("rexp", n = n, rate = 1), call("rexp", n = n, rate = c(0.01, 30))),
  # Inversion, BTPE near its lower bound of 30 expected successes and far above, sure successes and failures.
  Map(function(size, prob) call("rbinom", n = n, size = size, prob = prob),
      c(1, 1, 1, 10, 59, 60, 60, 61, 300, 250, 1000, 1e5, 1e8, 1e8),
      c(0.5, 0.3, 0.8, 0.2, 0.5, 0.5, 0.51, 0.5, 0.1, 0.12, 0.97, 0.5, 0.3, 2e-7)),
  list(call("rbinom", n = n, size = c(0, 1, 5, 100, 100, 3000), prob = c(0.5, 0, 1, 0.2, 0.9, 0.4, 0.01))),
  # Inversion below a mean of 10, algorithm PD from there on.
  Map(function(mean) call("rpois", n = n, mean = mean), c(0.01, 1, 9.99, 10, 10.5, 40, 1e4, 1e8)),
  list(call("rpois", n = n, mean = c(0, 0.5, 3, 12, 200, 8))),
  # Equal chances: widths of one and two words, permutations, and the look for repetitions above 1e7.
  Map(function(x) call("sample", x = x, size = n, replace = TRUE), c(1, 2, 3, 6, 128, 129, 65535, 65536, 65537, 2^31 - 1)),
  Map(function(x) call("sample", x = x, size = n, replace = FALSE), c(2000, 2048, 65540, 1e6, 1e7 + 1, 2^31 - 1)),
  # Weights: ties, which heapsort orders in its own way, zeros; 201 and more probable values go to the alias method.
  Map(function(prob) call("sample", x = length(prob), size = n, replace = TRUE, prob = prob),
      list(c(0.2, 0.8), rep(1 / 3, 3), c(1, 2, 2, 1, 3, 3, 0), 1:12, rep(1, 17), (1:200) %% 7, rep(1, 201),
           1 + (1:250) %% 5, 1 / (1:400), (1:300)^6, (1:500)^6)), # of the last two many are not probable enough to count
  Map(function(prob) call("sample", x = length(prob), size = sum(prob > 0), replace = FALSE, prob = prob),
      list(c(0.2, 0.8), rep(1, 9), c(1, 2, 2, 1, 3, 3, 0), 1:60, 1 + (1:250) %% 5))
)

ends <- function(x) if (length(x) > 8) c(head(x, 4), tail(x, 4)) else x
answer <- function(one, seed) {
  set.seed(seed)
  x <- as.numeric(do.call(verbs[[one$verb]], one$arguments))
  list(seed = seed, ends = I(ends(x)), sum = sum(x * (seq_along(x) %% 97 + 1)), following = runif(1))
}
for (i in seq_along(calls)) calls[[i]]$answers <- lapply(seeds, answer, one = calls[[i]])
jsonlite::write_json(list(R = R.version.string, calls = calls), "verbs.json", auto_unbox = TRUE, digits = NA)

# ---- a study: classes in schools; counts, yes or no, three arms ----
set.seed(42)
schools <- 15
classes <- sample(2:4, schools, replace = TRUE)
school <- rep(seq_len(schools), classes)
size <- sample(3:8, sum(classes), replace = TRUE)
class <- rep(seq_along(size), size)
school <- school[class]
rows <- length(class)

ability <- rnorm(rows, 0.1, 1)
arm <- sample(c("none", "book", "tutor"), rows, replace = TRUE, prob = c(0.5, 0.25, 0.25))
solved <- rbinom(rows, 20, plogis(ability))
absences <- rpois(rows, exp(1 + 0.6 * ability))
minutes <- rlnorm(rows, 3, 0.4)
of_school <- rnorm(schools, 0, 2)
slope_of_school <- rnorm(schools, 0, 0.5)
of_class <- rnorm(sum(classes), 0, 1)
grade <- sample(1:6, schools, replace = TRUE)
fee <- round(runif(sum(classes), 10, 40))
predictor <- 0.2 * ability + 0.05 * solved - 0.1 * absences + 0.3 * (arm == "tutor") + of_school[school] +
  slope_of_school[school] * ability + of_class[class]
passed <- rbinom(rows, 1, plogis(predictor))
write.csv(data.frame(school, class, grade = grade[school], fee = fee[class], ability, arm, solved, absences, minutes,
                     predictor, passed), "script.csv", row.names = FALSE)
