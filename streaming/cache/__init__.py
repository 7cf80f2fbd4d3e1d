"""Earlier answers that are given again: to the same question, or to one that means the same.

What makes two questions the same is `question`'s, what is kept `answer`'s, where and how much of it `store`'s. Nothing
of a stream hangs on the cache: where Redis cannot be reached, nothing is found and nothing is kept.
"""
