from tusd_py.streaming.budget import CACHED, SERVER_SHARE, BufferBudget


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


def test_a_transfer_counts_for_what_the_server_holds_on_its_behalf() -> None:
    budget = BufferBudget(4 * SERVER_SHARE)
    budget.take(3 * SERVER_SHARE)
    before = budget.spent
    budget.begin_transfer()
    during = budget.spent
    budget.end_transfer()

    assert (False, True, False) == (before, during, budget.spent)


def test_many_transfers_leave_half_of_the_budget_for_what_they_have_read() -> None:
    budget = BufferBudget(4 * SERVER_SHARE)
    for _ in range(100):
        budget.begin_transfer()

    assert not budget.spent


def test_the_more_transfers_the_less_each_gathers() -> None:
    budget = BufferBudget(64)
    alone = budget.fair
    for _ in range(4):
        budget.begin_transfer()
    among_four = budget.fair
    budget.end_transfer()

    assert (CACHED, CACHED // 4, CACHED // 3) == (alone, among_four, budget.fair)


def test_what_waits_for_readers_counts_but_leaves_half_to_what_is_written() -> None:
    budget = BufferBudget(100)
    budget.send(1000)
    held, spent = budget.held, budget.spent
    budget.take(49)
    nearly = budget.spent
    budget.take(1)
    full = budget.spent
    budget.sent(1000)

    assert (1000, False, False, True) == (held, spent, nearly, full)
    assert (50, False) == (budget.held, budget.spent)
