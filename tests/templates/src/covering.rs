//! Few rows in which every so many values meet: a covering array, made greedily.
//!
//! Of ten choices with three values each there are 59,049 rows, and yet some thirty have any three values together. Faults
//! of configuration come of few choices that meet, hardly ever of all: these rows find what three of them cause.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A value of an axis: both by their numbers.
type Pick = (usize, usize);
/// Values of different axes in the axes' order, 16 bits each: tens of thousands are looked up for each row.
type Meeting = u64;

/// Rows with one value an axis, in which every `strength` values of different axes stand together, if `allows` lets any row
/// have them. It is asked about rows of which some axes are still open.
///
/// The same arguments make the same rows.
///
/// # Panics
/// If more than four are to meet, or there are more than 256 axes or values of one.
#[must_use]
pub fn rows(sizes: &[usize], strength: usize, allows: impl Fn(&[Option<usize>]) -> bool) -> Vec<Vec<usize>> {
    assert!(
        strength <= 4 && sizes.len() <= 256 && sizes.iter().all(|size| *size <= 256),
        "a meeting has 64 bits"
    );
    let mut apart: BTreeMap<Meeting, Vec<Pick>> = subsets(&(0..sizes.len()).collect::<Vec<_>>(), strength)
        .into_iter()
        .flat_map(|axes| meetings(sizes, &axes))
        .map(|picks| (meeting(&picks), picks))
        .collect();
    let mut made = Vec::new();
    while let Some((_, first)) = apart.pop_first() {
        let mut row = vec![None; sizes.len()];
        for (axis, value) in first {
            row[axis] = Some(value);
        }
        if let Some(row) = Some(row)
            .filter(|row| allows(row))
            .and_then(|row| completed(row, sizes, strength, &apart, &allows))
        {
            let picks: Vec<Pick> = row.iter().copied().enumerate().collect();
            for met in subsets(&picks, strength) {
                apart.remove(&meeting(&met));
            }
            made.push(row);
        }
    }
    made
}

/// The row with the values that bring most together which has not met; nothing if one axis has none that is allowed.
fn completed(
    mut row: Vec<Option<usize>>,
    sizes: &[usize],
    strength: usize,
    apart: &BTreeMap<Meeting, Vec<Pick>>,
    allows: &impl Fn(&[Option<usize>]) -> bool,
) -> Option<Vec<usize>> {
    for axis in 0..sizes.len() {
        if row[axis].is_some() {
            continue;
        }
        let decided: Vec<Pick> = row
            .iter()
            .enumerate()
            .filter_map(|(axis, value)| Some((axis, (*value)?)))
            .collect();
        let others = subsets(&decided, strength - 1);
        let gain = |value: usize| {
            others
                .iter()
                .filter(|others| apart.contains_key(&joined(others, (axis, value))))
                .count()
        };
        let mut values: Vec<usize> = (0..sizes[axis]).collect();
        values.sort_by_key(|value| Reverse(gain(*value)));
        row[axis] = values.into_iter().find(|value| {
            let mut tried = row.clone();
            tried[axis] = Some(*value);
            allows(&tried)
        });
        row[axis]?;
    }
    row.into_iter().collect()
}

fn meeting(picks: &[Pick]) -> Meeting {
    picks.iter().fold(0, |all, pick| all << 16 | bits(*pick))
}

/// The meeting of picks in their axes' order and one more.
fn joined(picks: &[Pick], one: Pick) -> Meeting {
    let place = picks.partition_point(|pick| pick.0 < one.0);
    let before = meeting(&picks[..place]) << 16 | bits(one);
    picks[place..].iter().fold(before, |all, pick| all << 16 | bits(*pick))
}

fn bits((axis, value): Pick) -> Meeting {
    (axis << 8 | value) as Meeting
}

/// Every choice of so many of the items, in their order.
fn subsets<T: Clone>(items: &[T], count: usize) -> Vec<Vec<T>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let Some((first, rest)) = items.split_first() else {
        return Vec::new();
    };
    let with = subsets(rest, count - 1).into_iter().map(|mut others| {
        others.insert(0, first.clone());
        others
    });
    with.chain(subsets(rest, count)).collect()
}

/// Every choice of a value for each of these axes.
fn meetings(sizes: &[usize], axes: &[usize]) -> Vec<Vec<Pick>> {
    axes.iter().fold(vec![Vec::new()], |made, axis| {
        let longer = made
            .iter()
            .flat_map(|picks| (0..sizes[*axis]).map(move |value| [picks.as_slice(), &[(*axis, value)]].concat()));
        longer.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether a row, or a part of one, has these values.
    fn has(row: &[usize], picks: &[Pick]) -> bool {
        picks.iter().all(|(axis, value)| row[*axis] == *value)
    }

    #[test]
    fn ten_axes_of_three_values_take_less_than_a_hundredth_of_all_rows() {
        let found = rows(&[3; 10], 3, |_| true).len();
        assert!((27..120).contains(&found), "{found} rows");
    }

    proptest! {
        #[test]
        fn every_three_values_meet_unless_they_are_forbidden(
            // Two values at least: beside what is forbidden there is always another row.
            sizes in proptest::collection::vec(2usize..5, 3..7),
            forbidden in proptest::option::of((0usize..3, 0usize..4, 3usize..7, 0usize..4)),
        ) {
            let refused = |row: &[Option<usize>]| forbidden.is_some_and(|(one, value, other, others)| {
                row[one] == Some(value) && row.get(other) == Some(&Some(others))
            });
            let made = rows(&sizes, 3, |row| !refused(row));
            for row in &made {
                let whole: Vec<Option<usize>> = row.iter().copied().map(Some).collect();
                prop_assert!(!refused(&whole), "{row:?} is refused");
                prop_assert!(row.iter().zip(&sizes).all(|(value, size)| value < size));
            }
            for axes in subsets(&(0..sizes.len()).collect::<Vec<_>>(), 3) {
                for picks in meetings(&sizes, &axes) {
                    let mut part = vec![None; sizes.len()];
                    for (axis, value) in &picks {
                        part[*axis] = Some(*value);
                    }
                    prop_assert_eq!(made.iter().any(|row| has(row, &picks)), !refused(&part), "{:?}", picks);
                }
            }
        }
    }
}
