//! The difference between two lists of lines, as `diff -u` writes it.

/// Lines around a change that are shown.
const CONTEXT: usize = 3;
/// The largest table for the comparison; what is larger is shown as replaced whole.
const CELLS_MAX: usize = 4_000_000;

/// One step from the old lines to the new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Keep,
    Remove,
    Add,
}

/// The hunks: lines that begin with a space, `-` or `+`, under `@@` lines with places. Empty if nothing differs.
pub(super) fn unified(old: &[String], new: &[String]) -> Vec<String> {
    let steps = steps(old, new);
    let shown = shown(&steps);
    let (mut out, mut from, mut to, mut open) = (Vec::new(), 0, 0, false);
    for (index, step) in steps.iter().enumerate() {
        let show = shown.get(index).copied().unwrap_or_default();
        if show && !open && old.len().max(new.len()) > CONTEXT * 2 {
            out.push(format!("@@ -{} +{} @@", from + 1, to + 1));
        }
        open = show;
        let (mark, line) = match step {
            Step::Keep => (' ', old.get(from)),
            Step::Remove => ('-', old.get(from)),
            Step::Add => ('+', new.get(to)),
        };
        if let Some(line) = line.filter(|_| show) {
            out.push(format!("{mark}{line}"));
        }
        from += usize::from(*step != Step::Add);
        to += usize::from(*step != Step::Remove);
    }
    out
}

/// Which steps are near a change.
fn shown(steps: &[Step]) -> Vec<bool> {
    let mut shown = vec![false; steps.len()];
    for (index, _) in steps.iter().enumerate().filter(|(_, step)| **step != Step::Keep) {
        let near = index.saturating_sub(CONTEXT)..(index + CONTEXT + 1).min(steps.len());
        shown.get_mut(near).into_iter().flatten().for_each(|show| *show = true);
    }
    shown
}

fn steps(old: &[String], new: &[String]) -> Vec<Step> {
    let same = |a: &&String, b: &&String| a == b;
    let head = old.iter().zip(new).take_while(|(a, b)| same(a, b)).count();
    let (old, new) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| same(a, b)).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let mut steps = vec![Step::Keep; head];
    if old.len().saturating_mul(new.len()) > CELLS_MAX {
        steps.extend(old.iter().map(|_| Step::Remove).chain(new.iter().map(|_| Step::Add)));
    } else {
        compare(old, new, &mut steps);
    }
    steps.extend(std::iter::repeat_n(Step::Keep, tail));
    steps
}

/// By the longest common subsequence.
fn compare(old: &[String], new: &[String], steps: &mut Vec<Step>) {
    let width = new.len() + 1;
    let mut common = vec![0u32; (old.len() + 1) * width];
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let at = i * width + j;
            common[at] = if a == b { common[at + width + 1] + 1 } else { common[at + width].max(common[at + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        let at = i * width + j;
        let step = match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if a == b => Step::Keep,
            (Some(_), Some(_)) if common[at + width] < common[at + 1] => Step::Add,
            (Some(_), _) => Step::Remove,
            (None, _) => Step::Add,
        };
        i += usize::from(step != Step::Add);
        j += usize::from(step != Step::Remove);
        steps.push(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(old: &str, new: &str) -> String {
        let lines = |text: &str| text.split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        unified(&lines(old), &lines(new)).join(" ")
    }

    #[test]
    fn as_diff_u_shows_it() {
        assert_eq!(diff("a b c", "a b c"), "");
        assert_eq!(diff("a b c", "a x c"), " a -b +x  c");
        assert_eq!(diff("", "a b"), "+a +b");
        assert_eq!(diff("a b", ""), "-a -b");
        assert_eq!(diff("a b c d", "b c x d"), "-a  b  c +x  d");
        let (old, new) = ("1 2 3 4 5 6 7 8 9 10 11 12", "1 2 3 4 five 6 7 8 9 10 11 12 13");
        assert_eq!(diff(old, new), "@@ -2 +2 @@  2  3  4 -5 +five  6  7  8 @@ -10 +10 @@  10  11  12 +13");
    }

    #[test]
    fn what_is_too_large_is_replaced_whole() {
        let lines = |word: &str| (0..3000).map(|n| format!("{word}{n}")).collect::<Vec<_>>();
        let (old, new) = (lines("a"), lines("b"));
        let steps = steps(&old, &new);
        assert_eq!((steps.len(), steps[0], steps[5999]), (6000, Step::Remove, Step::Add));
    }
}
