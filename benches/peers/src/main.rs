//! Runs one side of one contest so many times, for a tool that counts instructions: `scheduling-peers BACKENDS NUMBER
//! COUNT`. With the number of backends alone it lists the sides, without arguments what each takes.

use lb_types::Rng;
use scheduling_peers::scheduling::{SIZES, fastest};
use scheduling_peers::{Operation, contests};

fn main() {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|n| n.parse().ok()).collect();
    let mut rng = Rng::new(1);
    if let [size, number, count] = numbers[..] {
        let (_, mut operation) = sides(size).nth(number as usize).expect("a side with this number");
        (0..count).for_each(|_| operation(&mut rng));
        return;
    }
    if let [size] = numbers[..] {
        sides(size).for_each(|(what, _)| println!("{what}"));
        return;
    }
    println!("| backends | number | what | ns |\n| --- | --- | --- | --- |");
    for size in SIZES {
        for (number, (what, mut operation)) in sides(size).enumerate() {
            // 10,000 services become ready with the first
            operation(&mut rng);
            let took = fastest(20, 20_000, || operation(&mut rng));
            println!("| {size} | {number} | {what} | {} |", took.as_nanos());
        }
    }
}

fn sides(size: u32) -> impl Iterator<Item = (String, Operation)> {
    contests(size).flat_map(|contest| {
        let theirs = contest.theirs.into_iter();
        let theirs = theirs.map(|peer| (format!("- {}", peer.name), peer.operation));
        std::iter::once((contest.what.to_owned(), contest.ours)).chain(theirs)
    })
}
