# What the page "The same in R" shows of R, and the numbers that ours are held against. In this folder:
#
#     Rscript session.R
#
# writes session.txt, what R printed, and numbers.csv. The data are the package's own tables.

suppressPackageStartupMessages(library(lmerTest))
options(width = 80)

read <- function(name) read.csv(file.path("..", "..", "mixedsim", "datasets", "data", paste0(name, ".csv")))

steps <- alist(
  fit = {
    sleepstudy <- read("sleepstudy")
    sleepstudy$Subject <- factor(sleepstudy$Subject)
    fit <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
    summary(fit)
  },
  varcorr = print(VarCorr(fit), comp = c("Variance", "Std.Dev.")),
  confint = confint(fit, oldNames = FALSE, quiet = TRUE),
  ranef = head(ranef(fit)$Subject, 3),
  coef = head(coef(fit)$Subject, 3),
  predict = predict(fit, data.frame(Days = 10, Subject = "308")),
  kenward = anova(fit, ddf = "Kenward-Roger"),
  compare = {
    simple <- lmer(Reaction ~ Days + (1 | Subject), sleepstudy)
    anova(simple, fit)
  },
  random = ranova(fit),
  nested = {
    pastes <- read("Pastes")
    VarCorr(lmer(strength ~ 1 + (1 | batch/cask), pastes))
  },
  glmer = {
    cbpp <- read("cbpp")
    cbpp$period <- factor(cbpp$period)
    herds <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
    print(summary(herds)$coefficients, digits = 4)
  }
)

told <- character()
for (name in names(steps)) {
  lines <- if (identical(steps[[name]][[1]], as.name("{"))) as.list(steps[[name]])[-1] else list(steps[[name]])
  told <- c(told, paste("##", name))
  for (line in lines) {
    told <- c(told, paste(c(">", rep("+", 20))[seq_along(deparse(line, 78))], deparse(line, 78)))
    told <- c(told, capture.output({
      result <- withVisible(eval(line, globalenv()))
      if (result$visible && !identical(line[[1]], as.name("print"))) print(result$value)
    }))
  }
  told <- c(told, "")
}
writeLines(sub(" +$", "", told), "session.txt")

# Numbers to all digits, under the names that the package has for them.
simple <- lmer(Reaction ~ Days + (1 | Subject), sleepstudy)
table <- coef(summary(fit))
kr <- anova(fit, ddf = "Kenward-Roger")
profile <- confint(fit, oldNames = FALSE, quiet = TRUE)
compared <- suppressMessages(anova(simple, fit))
variances <- as.data.frame(VarCorr(fit))
row <- function(name, value) data.frame(name = name, value = format(value, digits = 15, trim = TRUE))
numbers <- rbind(
  row(c("fixef Intercept", "fixef Days"), table[, "Estimate"]),
  row(c("se Intercept", "se Days"), table[, "Std. Error"]),
  row(c("df Intercept", "df Days"), table[, "df"]),
  row("p Days", table["Days", "Pr(>|t|)"]),
  row(c("sd Intercept", "sd Days", "correlation", "sigma"), variances$sdcor),
  row("REML criterion", unname(REMLcrit(fit))),
  row("F Kenward-Roger", kr[1, "F value"]), row("df Kenward-Roger", kr[1, "DenDF"]),
  row("profile Days lower", profile["Days", 1]), row("profile Days upper", profile["Days", 2]),
  row("chi2", compared$Chisq[2]), row("AIC simple", compared$AIC[1]), row("AIC slopes", compared$AIC[2]),
  row("BLUP 308 Days", ranef(fit)$Subject["308", "Days"]),
  row("prediction 308", unname(predict(fit, data.frame(Days = 10, Subject = "308")))),
  row(paste("glmer", rownames(coef(summary(herds)))), coef(summary(herds))[, "Estimate"]),
  row("glmer se", coef(summary(herds))[1, "Std. Error"])
)
versions <- sapply(c("lme4", "lmerTest", "pbkrtest"), function(one) as.character(packageVersion(one)))
header <- paste0("# ", R.version.string, "; ", paste(names(versions), versions, collapse = ", "))
writeLines(c(header, "name,value", paste(numbers$name, numbers$value, sep = ",")), "numbers.csv")
