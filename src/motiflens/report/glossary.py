"""The words of the page, each in a sentence or two."""

from __future__ import annotations

from motiflens.report.parts import Section, Table

WORDS = {
    "logit": "The raw score of a model before it becomes a probability: above 0 rather positive, "
    "below 0 rather negative.",
    "AUROC": "The chance that a random positive scores higher than a random negative: 0.5 is "
    "guessing, 1 is perfect.",
    "AUPRC": "Area under precision by recall; guessing gives the fraction of positives.",
    "MCC": "Matthews' correlation of calls and labels: 0 is guessing, whatever the class sizes.",
    "baseline": "Something trivial that a model has to beat, on the same splits: base "
    "composition, counted k-mers, the best single motif.",
    "interval": "The range in which a figure would plausibly lie if other sequences or seeds had "
    "come; 95 % unless said otherwise.",
    "seed": "A number that decides everything random; several seeds of a model are several "
    "trainings of it.",
    "ensemble": "The mean of the logits of all seeds of a model.",
    "contribution": "What a base adds to the logit, by some method.",
    "DeepLIFT/SHAP": "A method that divides the difference between the logit of a sequence and "
    "that of its shuffles among its bases.",
    "mutagenesis": "Every base replaced by each other one, and the change of the logit measured.",
    "saliency": "How steeply the logit would change with a base; cheap, without a sign.",
    "gradient correction": "The mean over the four bases taken from a gradient, as it means "
    "nothing where one-hot columns add up to 1.",
    "attention weights": "Weights by which a model mixes positions; a weight on a base is not an "
    "effect of the base.",
    "null": "What a figure looks like where there is nothing to find: negatives, and positives "
    "shuffled.",
    "deletion curve": "How the logit falls when bases are replaced in the order that a method "
    "calls important.",
    "seqlet": "A short stretch of high contribution; similar ones, aligned, are a motif.",
    "q": "A p-value corrected for how many were tried.",
    "leak": "Test sequences that training has seen, in whole or in part: their score is memory.",
}

#: Of labels that are numbers: what is said of other words, and words that say nothing.
OF_NUMBERS = {
    "logit": "The label that a model predicts, in its unit.",
    "Spearman": "The correlation of the ranks of labels and predictions: 0 is guessing, 1 is "
    "perfect.",
    "R²": "The fraction of the variance of the labels that is explained.",
}
OF_CLASSES = ("AUPRC", "MCC")


def glossary(*, regression: bool = False) -> Section:
    """Lay out the glossary."""
    words = WORDS
    if regression:
        others = {word: text for word, text in WORDS.items() if word not in OF_CLASSES}
        words = {**OF_NUMBERS, **others, "logit": OF_NUMBERS["logit"]}
    return Section(
        "glossary", "Glossary", [Table(["Word", "Meaning"], list(words.items()), "Words")]
    )
