"""R's default random numbers, drawn again: what `mixedsim.RSeed` stands for.

Written from R's help pages (``?RNGkind``, ``?Normal``, ``?Binomial``, ``?Poisson``, ``?Exponential``, ``?sample``) and
the papers they name, each cited where it is used. What these leave open, such as which of two equal chances comes
first, was settled by comparing with the numbers that R prints; its source was not consulted. The tests hold every verb
against R's own output.

`words` are the uniform numbers; `normal`, `binomial`, `poisson`, `exponential` and `sampling` are made of them;
`generator` has R's verbs and `numbers` NumPy's names for them; `sequence` gives the parts of a population their turn.
"""
