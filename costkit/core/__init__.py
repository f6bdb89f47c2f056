"""The ground floor: values and arithmetic. Standard library only; no input, no output, no clock."""
