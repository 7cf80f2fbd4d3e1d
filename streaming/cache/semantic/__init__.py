"""Answers to questions that mean the same: found by the likeness of their embeddings, let through by a guard.

Opt-in, and only for single prompts without tools. Likeness alone says too little ("raw eggs are safe" and "raw eggs are
not safe" are 0.99 alike), so `guard` refuses whatever differs in something that changes answers.
"""
