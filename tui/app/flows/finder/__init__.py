"""The finder in the workbench: what follows from what a person does in its panel, and who works behind it."""
