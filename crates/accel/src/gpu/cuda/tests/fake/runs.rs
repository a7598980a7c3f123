//! What goes wrong.

use super::library::{LIBRARIES, Run};

#[test]
fn probe() {
    for kind in ["none", "empty", "poor", "idle"] {
        let mut run = Run::new(&[&LIBRARIES.folder(kind)]);
        println!("{kind}: {:?}", run.said());
    }
    let t = std::time::Instant::now();
    let folder = LIBRARIES.working();
    println!("built {:?}", t.elapsed());
    for _ in 0..2 {
        let t = std::time::Instant::now();
        println!("{:?}", Run::new(&[&folder]).said());
        println!("ran {:?}", t.elapsed());
    }
}
