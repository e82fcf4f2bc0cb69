//! What the process that compiles hands back: a head that says of which component, by which compiler and how much, then the code.
//! Loading compiled code runs whatever it says, so nothing is taken that does not fit exactly.

use ring::digest;
use wasmtime::Engine;

use crate::aot::{HASH_BYTES, compatibility};

const MAGIC: &[u8; 8] = b"BERTHCO1";
/// Magic, compiler, component, code; the length of the code.
const HEAD_BYTES: usize = MAGIC.len() + 3 * HASH_BYTES + 8;

/// Why an answer was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// Cut short, or changed on the way.
    #[error("its answer is damaged")]
    Damaged,
    /// The program on disk is another version than the one that runs.
    #[error("the program that compiles is another version than the one that runs; restart it")]
    OtherCompiler,
}

fn hash(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}

/// The head for this code of this component.
pub(super) fn head(engine: &Engine, component: &[u8], code: &[u8]) -> Vec<u8> {
    let length = u64::try_from(code.len()).unwrap_or(u64::MAX).to_le_bytes();
    [MAGIC.as_slice(), compatibility(engine).as_ref(), hash(component).as_ref(), hash(code).as_ref(), &length]
        .concat()
}

/// The code in an answer, if it is all there, of this component and of this engine's compiler.
pub(super) fn code(engine: &Engine, component: &[u8], mut answer: Vec<u8>) -> Result<Vec<u8>, Unfit> {
    let (found, code) = answer.split_at_checked(HEAD_BYTES).ok_or(Unfit::Damaged)?;
    let expected = head(engine, component, code);
    if found != expected {
        let compiler = MAGIC.len()..MAGIC.len() + HASH_BYTES;
        let same = found.get(compiler.clone()) == expected.get(compiler);
        return Err(if same || !found.starts_with(MAGIC) { Unfit::Damaged } else { Unfit::OtherCompiler });
    }
    answer.drain(..HEAD_BYTES);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_answer_is_taken() {
        let engine = crate::engine::new().expect("an engine");
        let good = [head(&engine, b"component", b"code"), b"code".to_vec()].concat();
        assert_eq!(code(&engine, b"component", good.clone()).as_deref(), Ok(b"code".as_slice()));
        assert_eq!(code(&engine, b"another", good.clone()), Err(Unfit::Damaged));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(code(&engine, b"component", bad).is_err(), "byte {at}");
            assert_eq!(code(&engine, b"component", good[..at].to_vec()), Err(Unfit::Damaged), "{at} bytes");
        }
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(false);
        let other = Engine::new(&config).expect("another");
        assert_eq!(code(&other, b"component", good), Err(Unfit::OtherCompiler));
    }
}
