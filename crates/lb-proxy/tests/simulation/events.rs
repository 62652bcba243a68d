//! What happens to a worker while it serves: reloads, health, listeners, moments without a turn, and who comes too late.

use crate::conn::Conn;
use crate::dice::Dice;
use crate::script::ip_of;
use crate::site::{HTTP, TCP};
use crate::world::{World, send};
use lb_proxy::Order;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::sleep;

impl World {
    /// What an operator and the probes do meanwhile.
    pub(crate) async fn events(self: Rc<Self>) {
        let mut dice = Dice::of(self.seed, 4);
        for _ in 0..dice.between(0, 6) {
            sleep(Duration::from_millis(dice.between(0, 2_500))).await;
            match dice.between(0, 11) {
                10.. => {
                    let stall = Duration::from_millis(dice.between(50, 4_000));
                    self.ledger.stall("world", stall).await;
                }
                0..=3 => {
                    let what = self.site.borrow_mut().change_health();
                    self.note(what);
                }
                4..=8 => {
                    let what = self.site.borrow_mut().reconfigure();
                    self.note(format!("reload: {what}"));
                    self.apply();
                }
                9 => {
                    let has_tcp = !self.site.borrow().has_tcp;
                    self.site.borrow_mut().has_tcp = has_tcp;
                    self.note(format!("reload: TCP listener: {has_tcp}"));
                    self.apply();
                    if has_tcp {
                        self.listen(TCP);
                    } else {
                        send(&self.orders, Order::Unlisten(TCP));
                    }
                }
            }
        }
    }

    fn apply(&self) {
        let snapshot = self.site.borrow_mut().snapshot();
        send(&self.orders, Order::Apply(snapshot));
    }

    /// Some who begin their handshake just when nobody is let in any more.
    pub(crate) fn begin_late_clients(self: &Rc<Self>) -> Vec<JoinHandle<()>> {
        let mut dice = Dice::of(self.seed, 7);
        let late = |n: u64| {
            let (world, wait) = (Rc::clone(self), dice.between(0, 60));
            spawn_local(async move {
                sleep(Duration::from_millis(wait)).await;
                if let Some(io) = world.connect(ip_of(50 + n), HTTP, "late").await {
                    let conn = Conn::new(io);
                    let _ = conn.read(&mut [0; 512]).await;
                }
            })
        };
        (0..3_u64).map(late).collect()
    }
}
