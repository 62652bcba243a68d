//! From the facts of a request to a backend: routes, pools, standings, tickets and retry budgets.
