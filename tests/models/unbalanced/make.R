# An unbalanced layout and what lmerTest, pbkrtest and lme4 say about it.
#
#     Rscript make.R      # writes rows.csv and answers.json beside this file
#
# Everything is fitted at a tight tolerance, so that the numbers are those of the optimum.
suppressMessages({library(lmerTest); library(pbkrtest); library(jsonlite)})
set.seed(20)
n <- 240
rows <- data.frame(
  g = factor(sample(1:16, n, replace = TRUE)), h = factor(sample(letters[1:9], n, replace = TRUE)),
  a = factor(sample(c("a1", "a2", "a3"), n, replace = TRUE, prob = c(5, 3, 2)), levels = c("a1", "a2", "a3")),
  b = factor(sample(c("b1", "b2"), n, replace = TRUE, prob = c(2, 1)), levels = c("b1", "b2")),
  x = round(rnorm(n, 3, 1.5), 2), w = sample(c(0.5, 1, 2, 4), n, replace = TRUE))
rows$c <- factor(paste0("c", 1 + as.integer(rows$g) %% 4), levels = paste0("c", 1:4))   # varies between groups
rows$d <- factor(ifelse(rows$a == "a3" & rows$b == "b2", "d1", sample(c("d1", "d2"), n, replace = TRUE)))
rows$y <- round(10 + 2 * (rows$a == "a2") - 1 * (rows$b == "b2") * rows$x + rnorm(16, 0, 1.5)[rows$g] +
  rnorm(9, 0, 1)[rows$h] + 0.4 * rnorm(16)[rows$g] * rows$x + rnorm(n, 0, 2) / sqrt(rows$w), 3)
write.csv(rows, "rows.csv", row.names = FALSE)

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 1e5), calc.derivs = FALSE,
                     check.conv.singular = "ignore", check.rankX = "silent.drop.cols")
models <- list(
  crossed = "y ~ a * b + (1 | g)", three = "y ~ a * b * x + (1 | g)", slopes = "y ~ a * x + c + (x | g)",
  two_factors = "y ~ a * b + c + (1 | g) + (1 | h)", between = "y ~ c * a + (1 | g)", no_intercept = "y ~ 0 + a + x + (1 | g)",
  numbers = "y ~ x + I(x^2) + b + (1 | g)", nested_term = "y ~ a + a:b + (1 | g)", empty_cell = "y ~ a * b + a:b:d + (1 | g)",
  empty_cells = "y ~ d * a * b + (1 | g)", one_factor = "y ~ c + (1 | g)", no_main_effect = "y ~ x + x:a + (1 | g)")
table_of <- function(fit, type, ddf) {
  table <- as.data.frame(suppressMessages(anova(fit, type = type, ddf = ddf)))
  setNames(lapply(rownames(table), function(t) list(F = table[t, "F value"], df1 = table[t, "NumDF"],
    df2 = table[t, "DenDF"], p = table[t, "Pr(>F)"])), rownames(table))
}
answers <- lapply(models, function(formula) {
  fit <- lmerTest::lmer(as.formula(formula), rows, control = tight)
  tables <- list()
  for (type in 1:3) tables[[paste0("satterthwaite_", type)]] <- table_of(fit, type, "Satterthwaite")
  tables[["kenward-roger_3"]] <- table_of(fit, 3, "Kenward-Roger")
  list(formula = formula, anova = tables)
})
means <- lapply(c(crossed = "crossed", slopes = "slopes", two_factors = "two_factors"), function(name) {
  fit <- lmerTest::lmer(as.formula(models[[name]]), rows, control = tight)
  lapply(c(satterthwaite = "Satterthwaite", `kenward-roger` = "Kenward-Roger"), function(ddf)
    list(means = as.data.frame(ls_means(fit, ddf = ddf)), pairs = as.data.frame(ls_means(fit, pairwise = TRUE, ddf = ddf))))
})
# Prior weights. pbkrtest takes no notice of them in V, so it is asked about the whitened rows, which have none.
rows$s <- sqrt(rows$w)
rows$sx <- rows$s * rows$x; rows$sy <- rows$s * rows$y
weighted <- lme4::lmer(y ~ x + (x | g), rows, weights = w, control = tight)
white <- lme4::lmer(sy ~ 0 + s + sx + (0 + s + sx | g), rows, control = tight)
kr <- function(fit) list(se = unname(sqrt(diag(as.matrix(vcovAdj(fit))))),
  df = c(get_Lb_ddf(fit, c(1, 0)), get_Lb_ddf(fit, c(0, 1))))
write_json(list(versions = list(lme4 = as.character(packageVersion("lme4")), lmerTest = as.character(packageVersion("lmerTest")),
  pbkrtest = as.character(packageVersion("pbkrtest"))), models = answers, ls_means = means,
  weighted = list(whitened = kr(white), as_pbkrtest_has_it = kr(weighted), fixef_apart = max(abs(fixef(white) - fixef(weighted))))),
  "answers.json", digits = 12, auto_unbox = TRUE, pretty = TRUE, na = "null")
