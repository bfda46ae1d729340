/* Quizzes: checks what was ticked or typed and says why. The answers and their reasons are on the page already. */
(() => {
  "use strict";

  const chosenIn = (question) =>
    [...question.querySelectorAll("input:checked")].map((input) => Number(input.value));

  /* What a reader may have meant: 0.25 and 0,25 and 25 % are one number; 1,234 is two, and the better one counts. */
  const readings = (text) => {
    const plain = text.trim().replace("\u2212", "-");
    const bare = plain.replace(/\s*%$/, "");
    const numbers = bare === "" ? [] : [Number(bare.replace(",", ".")), Number(bare.replace(/,(?=\d{3}\b)/g, ""))];
    return [...numbers, ...(plain === bare ? [] : numbers.map((number) => number / 100))].filter(Number.isFinite);
  };

  const verdictOfNumber = (verdicts, values) => {
    const tolerance = Number(verdicts[0].dataset.tolerance) * (1 + 1e-9);
    const near = (verdict) => values.some((value) => Math.abs(value - Number(verdict.dataset.number)) <= tolerance);
    return verdicts.find((verdict) => "number" in verdict.dataset && near(verdict)) ?? verdicts.at(-1);
  };

  const paragraph = (mark, content) => {
    const p = document.createElement("p");
    const strong = document.createElement("strong");
    strong.textContent = mark;
    p.append(strong, " ", ...content);
    return p;
  };

  const why = (verdict) => [...verdict.querySelector(".quiz-why").cloneNode(true).childNodes];

  function start(question, whenChecked) {
    const button = question.querySelector(".quiz-check");
    const feedback = question.querySelector(".quiz-feedback");
    const key = question.querySelector(".quiz-key");
    const verdicts = [...question.querySelectorAll(".quiz-verdict")];
    const kind = question.dataset.kind;
    button.hidden = false;
    key.hidden = true;

    const forget = () => {
      delete question.dataset.state;
      feedback.replaceChildren();
      for (const answer of question.querySelectorAll(".quiz-answer")) delete answer.dataset.state;
    };

    const say = (right, paragraphs) => {
      question.dataset.state = right ? "right" : "wrong";
      feedback.replaceChildren(...paragraphs);
      key.hidden = false;
      whenChecked();
    };

    const ask = (sentence) => {
      forget();
      feedback.textContent = sentence;
    };

    const checkNumber = () => {
      const values = readings(question.querySelector("input").value);
      if (!values.length) return ask("Write a number, such as 0.25, and check again.");
      const verdict = verdictOfNumber(verdicts, values);
      const right = verdict.dataset.correct === "true";
      say(right, [paragraph(right ? "Right." : "Not quite.", why(verdict))]);
    };

    const checkChoice = () => {
      const chosen = chosenIn(question);
      if (!chosen.length) return ask("Choose an answer first.");
      const correct = verdicts.map((verdict) => verdict.dataset.correct === "true");
      const answers = question.querySelectorAll(".quiz-answer");
      const told = chosen.map((position) => {
        answers[position].dataset.state = correct[position] ? "right" : "wrong";
        return paragraph(correct[position] ? "Right." : "Not quite.", why(verdicts[position]));
      });
      const missing = correct.filter((one, position) => one && !chosen.includes(position)).length;
      if (kind === "several" && missing) told.push(paragraph("Not all yet.", [`Right answers still to find: ${missing}.`]));
      say(!missing && chosen.every((position) => correct[position]), told);
    };

    const check = kind === "number" ? checkNumber : checkChoice;
    button.addEventListener("click", check);
    for (const input of question.querySelectorAll("input")) {
      input.addEventListener("input", forget);
      input.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        check();
      });
    }
  }

  function begin() {
    for (const quiz of document.querySelectorAll(".quiz")) {
      const questions = [...quiz.querySelectorAll(".quiz-question")];
      const score = quiz.querySelector(".quiz-score");
      const count = () => {
        const right = questions.filter((question) => question.dataset.state === "right").length;
        const checked = questions.filter((question) => question.dataset.state).length;
        score.textContent = checked === questions.length ? `${right} of ${questions.length} right.` : "";
      };
      for (const question of questions) start(question, count);
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
