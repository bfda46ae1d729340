# Makes lme4_cases.json: simulated data, and what lme4 says of generalised models of many kinds.
#   Rscript tests/models/lme4_cases.R tests/models/lme4_cases.json
# Written with R 4.2.2, lme4 1.1.31, performance 0.10.2, emmeans 1.8.4.1, jsonlite 1.8.4; takes a minute.
# The optimiser is tighter than lme4's default, which stops short of the optimum on some of these.
suppressMessages({library(lme4); library(jsonlite); library(performance); library(emmeans)})
quiet <- function() .makeCC("ignore", tol = 1e-3)
control <- glmerControl(optimizer = "bobyqa", optCtrl = list(maxfun = 1e6, rhoend = 1e-10), tolPwrss = 1e-13,
  check.conv.grad = quiet(), check.conv.singular = quiet(), check.conv.hess = quiet(), check.scaleX = "ignore")

# ---- data

respond <- function(d, eta) {
  n <- nrow(d)
  d$expo <- round(runif(n, 1, 5), 1)
  d$wt <- sample(1:3, n, TRUE)
  d$t <- sample(3:12, n, TRUE)
  d$yb <- rbinom(n, 1, plogis(eta))
  d$yf <- ifelse(rbinom(n, 1, plogis(eta)) == 1, "yes", "no")
  d$s <- rbinom(n, d$t, plogis(eta))
  d$lowp <- rbinom(n, d$t, exp(-1.6 + 0.2 * pmin(pmax(eta, -2), 2)))
  d$cnt <- rpois(n, exp(eta))
  d$big <- rpois(n, 200 * exp(0.3 * eta))
  d$rate <- rpois(n, d$expo * exp(eta - 0.5))
  d$od <- rnbinom(n, mu = exp(eta), size = 1.5)
  d$pos <- signif(rgamma(n, shape = 4, rate = 4 / exp(0.5 * eta)), 4)
  d$ig <- signif(rgamma(n, 8, 8) * exp(0.3 * eta), 4)
  d$b0 <- rbinom(n, 1, plogis(0.3 * d$x))
  d$s0 <- rbinom(n, d$t, plogis(0.3 * d$x))
  d$n0 <- rpois(n, exp(1 + 0.2 * d$x))
  d$cpos <- rpois(n, 6 + 2 * plogis(eta))
  d$row <- seq_len(n)
  d
}
base <- function(n) data.frame(x = round(rnorm(n), 3), v = round(rnorm(n), 3), c = sample(c("a", "b", "c"), n, TRUE),
                               k = sample(c("p", "q"), n, TRUE))
set.seed(101)
D <- list()
d <- base(240); d$g <- rep(1:20, each = 12)
D$mid <- respond(d, 0.3 + 0.6 * d$x + 0.5 * (d$k == "q") + rnorm(20, 0, 0.8)[d$g] + rnorm(20, 0, 0.5)[d$g] * d$x)
d <- base(30); d$g <- rep(1:6, each = 5)
D$tiny <- respond(d, 0.2 + 0.5 * d$x + rnorm(6)[d$g])[c("g", "x", "c", "k", "yb", "s", "t", "cnt", "pos", "od")]
crossed <- c("subj", "item", "x", "k", "yb", "s", "t", "cnt", "pos", "od", "n0")
d <- base(240); d$school <- rep(1:12, each = 20); d$class <- rep(rep(1:4, each = 5), 12)
D$nest <- respond(d, 0.2 + 0.5 * d$x + rnorm(12, 0, 0.7)[d$school] + rnorm(48, 0, 0.6)[4 * (d$school - 1) + d$class])
D$nest <- D$nest[c("school", "class", setdiff(crossed, c("subj", "item")))]
d <- base(240); d$subj <- rep(1:20, each = 12); d$item <- rep(1:12, 20)
D$cross <- respond(d, 0.1 + 0.5 * d$x + rnorm(20, 0, 0.8)[d$subj] + rnorm(12, 0, 0.6)[d$item])[crossed]
p <- expand.grid(subj = 1:18, item = 1:14); p <- p[sort(sample(nrow(p), 130)), ]; p <- p[sample(nrow(p), 200, TRUE), ]
d <- cbind(base(200), p)
D$part <- respond(d, 0.1 + 0.5 * d$x + rnorm(18, 0, 0.7)[d$subj] + rnorm(14, 0, 0.5)[d$item])[crossed]
for (n in names(D)) rownames(D[[n]]) <- NULL

# ---- models: data, formula (with successes / trials in place of cbind), family, link, ...

S <- list()
add <- function(data, formula, family, link, nagq = 1, weights = NULL, offset = NULL, ask = character())
  S[[length(S) + 1]] <<- list(data = data, formula = formula, family = family, link = link, nagq = nagq,
                             weights = weights, offset = offset, ask = I(c(character(), ask)))
B <- "binomial"; P <- "poisson"; all <- c("drop1", "r2")
for (q in c(1, 10, 25)) add("mid", "yb ~ x + (1 | g)", B, "logit", q)
for (q in c(1, 5)) add("mid", "s / t ~ x + k + (1 | g)", B, "logit", q, ask = if (q == 1) c(all, "emmeans"))
for (q in c(1, 10)) add("mid", "cnt ~ x + c + (1 | g)", P, "log", q, ask = if (q == 1) c(all, "emmeans"))
for (l in c("probit", "cloglog")) add("mid", "yb ~ x + k + (1 | g)", B, l, ask = all)
add("mid", "s / t ~ x + (x | g)", B, "cloglog")
for (l in c("log", "identity")) add("mid", "lowp / t ~ x + (1 | g)", B, l)
add("mid", "s / t ~ x * k + (1 | g)", B, "logit", weights = "t", ask = "drop1")
add("mid", "yf ~ x + c + (1 | g)", B, "logit", ask = "emmeans")
for (q in c(1, 11)) add("mid", "yb ~ x + (1 | g)", B, "logit", q, weights = "wt")
add("mid", "yb ~ x + (x | g)", B, "logit", ask = "r2")
add("mid", "s / t ~ x + (x || g)", B, "logit", ask = "r2")
for (q in c(1, 9)) add("mid", "cnt ~ x + (0 + x | g)", P, "log", q)
add("mid", "cnt ~ x + c + (x | g)", P, "log", ask = "r2")
add("mid", "cnt ~ x + v + (x + v | g)", P, "log")
add("mid", "s / t ~ k + (0 + k | g)", B, "logit")
add("mid", "rate ~ x + (1 | g)", P, "log", 10, offset = "log(expo)")
add("mid", "s / t ~ k + (1 | g)", B, "logit", offset = "0.6 * x")
add("mid", "big ~ x + c + (x | g)", P, "log")
add("mid", "cnt ~ x + (1 | g)", P, "log", weights = "wt")
add("mid", "od ~ x + (1 | g) + (1 | row)", P, "log", ask = "r2")
add("mid", "s / t ~ x + (1 | g) + (1 | row)", B, "logit", ask = "r2")
for (l in c("sqrt", "identity")) add("mid", "cpos ~ x + (1 | g)", P, l)
add("mid", "pos ~ x + k + (1 | g)", "Gamma", "log", ask = c("r2", "emmeans"))
add("mid", "pos ~ x + (x | g)", "Gamma", "log")
add("mid", "pos ~ k + (1 | g)", "Gamma", "identity")
add("mid", "pos ~ x + (1 | g)", "Gamma", "inverse", weights = "wt")
for (l in c("log", "inverse")) add("mid", "ig ~ x + (1 | g)", "inverse.gaussian", l)
add("mid", "ig ~ k + (1 | g)", "inverse.gaussian", "1/mu^2")
add("mid", "od ~ x + k + (1 | g)", "nb", "log", ask = "r2")
add("mid", "od ~ x + (x || g)", "nb", "log")
add("mid", "b0 ~ x + (1 | g)", B, "logit")
add("mid", "s0 / t ~ x + (x | g)", B, "logit")
add("mid", "n0 ~ x + (x || g)", P, "log")
add("mid", "s / t ~ 0 + (1 | g)", B, "logit")
add("mid", "s / t ~ 0 + c + (1 | g)", B, "logit")
add("mid", "cnt ~ x * c + k:v + (1 | g)", P, "log", ask = "drop1")
add("tiny", "yb ~ x + (1 | g)", B, "logit", 10)
add("tiny", "s / t ~ x + (x | g)", B, "logit")
add("tiny", "cnt ~ x + c + (1 | g)", P, "log", ask = "profile")
add("tiny", "pos ~ x + (1 | g)", "Gamma", "inverse")
for (r in list(c("yb", B), c("s / t", B), c("cnt", P), c("pos", "Gamma"))) {
  link <- if (r[2] == B) "logit" else "log"
  add("nest", paste(r[1], "~ x + k + (1 | school/class)"), r[2], link, ask = if (r[2] != "Gamma") all)
  add("cross", paste(r[1], "~ x + k + (1 | subj) + (1 | item)"), r[2], link, ask = if (r[2] != "Gamma") all)
  add("cross", paste(r[1], "~ x + (x | subj) + (1 | item)"), r[2], link)
  add("part", paste(r[1], "~ x + (1 | subj) + (1 | item)"), r[2], link)
}
add("cross", "od ~ x + (1 | subj) + (1 | item)", "nb", "log")
add("cross", "yb ~ x + (1 | subj) + (1 | item)", B, "probit")
add("part", "n0 ~ x + (1 | subj) + (1 | item)", P, "log")

# ---- answers

factors <- c("g", "school", "class", "subj", "item", "row", "c", "k", "yf")
fit <- function(s) {
  d <- D[[s$data]]
  for (v in intersect(factors, names(d))) d[[v]] <- factor(d[[v]])
  a <- list(formula = as.formula(sub("^(\\w+) / t", "cbind(\\1, t - \\1)", s$formula)), data = d, control = control)
  if (!is.null(s$weights) && !grepl("/ t", s$formula)) { a$data$.w <- d[[s$weights]]; a$weights <- quote(.w) }
  if (!is.null(s$offset)) { a$data$.o <- eval(parse(text = s$offset), d); a$offset <- quote(.o) }
  if (s$family == "nb") a$control$tolPwrss <- 1e-8  # less does not converge
  if (s$family == "nb") return(eval(as.call(c(list(quote(glmer.nb)), a, list(nb.control = list(tol = 1e-9))))))
  a$family <- get(s$family)(s$link); a$nAGQ <- s$nagq
  eval(as.call(c(list(quote(glmer)), a)))
}
num <- function(x) unname(as.numeric(x))
first <- function(x) num(x)[1:3]
answers <- function(s, m) {
  e <- list(fixef = num(fixef(m)), se = num(sqrt(diag(as.matrix(vcov(m))))), theta = num(getME(m, "theta")),
            sigma = sigma(m), loglik = num(logLik(m)), aic = AIC(m), bic = BIC(m), singular = isSingular(m),
            fitted = first(fitted(m)), link = first(predict(m)), middle = first(predict(m, re.form = NA)),
            response = first(residuals(m, "response")), pearson = first(residuals(m, "pearson")),
            deviance = first(residuals(m, "deviance")))
  for (g in names(ranef(m))) {
    r <- ranef(m, condVar = TRUE)[[g]]
    v <- attr(r, "postVar")
    sd <- if (is.list(v)) sapply(v, function(a) sqrt(a[1, 1, 1])) else sqrt(diag(as.matrix(v[, , 1])))
    e$ranef[[g]] <- list(level = rownames(r)[1], mode = I(num(r[1, ])), sd = I(num(sd)))
  }
  if (s$family == "nb") e$tau <- getME(m, "glmer.nb.theta")
  if ("drop1" %in% s$ask) {
    a <- drop1(m, test = "Chisq")[-1, ]
    e$drop1 <- list(term = I(rownames(a)), chisq = I(a$LRT), p = I(a[["Pr(Chi)"]]))
  }
  if ("r2" %in% s$ask) {
    e$r2 <- num(unlist(r2_nakagawa(m, tolerance = 1e-8)))[2:1]
    i <- icc(m, tolerance = 1e-8); e$icc <- num(c(i$ICC_adjusted, i$ICC_unadjusted, i$ICC_conditional))
  }
  if ("emmeans" %in% s$ask) {
    v <- if (grepl(" c ", s$formula)) "c" else "k"
    a <- as.data.frame(emmeans(m, v, type = "response"))
    e$emmeans <- list(of = v, mean = num(a[[2]]), se = num(a$SE), lower = num(a[[5]]), upper = num(a[[6]]))
  }
  if ("profile" %in% s$ask) {
    a <- suppressWarnings(confint(m, quiet = TRUE, devtol = 1e-9))
    e$profile <- list(lower = num(a[, 1]), upper = num(a[, 2]))
  }
  e
}
digits <- function(x) if (is.list(x)) lapply(x, digits) else if (is.double(x)) { y <- signif(x, 9); attributes(y) <- attributes(x); y } else x
answered <- function(s) {
  m <- tryCatch(suppressMessages(suppressWarnings(fit(s))), error = function(e) NULL)
  if (is.null(m)) { cat("lme4 fails:", s$data, s$formula, s$family, s$link, "\n"); return(NULL) }
  c(s, list(expect = digits(suppressWarnings(answers(s, m)))))
}
cases <- Filter(Negate(is.null), lapply(S, answered))
write_json(list(data = D, cases = cases), commandArgs(TRUE)[1], digits = NA, auto_unbox = TRUE, null = "null",
           dataframe = "columns")
