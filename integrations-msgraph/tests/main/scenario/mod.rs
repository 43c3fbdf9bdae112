//! Microsoft's services sync as the family promises: the family's scenarios on the fake Graph.

mod calendar;
