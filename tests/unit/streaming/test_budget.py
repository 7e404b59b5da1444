from tusd_py.streaming.budget import BufferBudget


def test_it_is_spent_at_its_limit() -> None:
    budget = BufferBudget(10)
    spent = [budget.spent]
    for size in (9, 1, 5):
        budget.take(size)
        spent.append(budget.spent)

    assert spent == [False, False, True, True]


def test_what_is_given_back_can_be_spent_again() -> None:
    budget = BufferBudget(10)
    budget.take(15)
    budget.give(5)
    still = budget.spent
    budget.give(1)

    assert still
    assert not budget.spent
    assert budget.used == 9
