//! Modular arithmetic on 384-bit numbers by circuits: range_check96, add_mod and mul_mod. A number is four limbs of 96 bits.
#[starknet::contract]
mod circuit {
    use core::circuit::{
        circuit_add, circuit_inverse, circuit_mul, circuit_sub, u384, u96, AddInputResultTrait, CircuitElement,
        CircuitInput, CircuitInputs, CircuitModulus, CircuitOutputsTrait, EvalCircuitTrait
    };

    type Limbs = (felt252, felt252, felt252, felt252);

    #[storage]
    struct Storage {}

    /// (a + b, a - b, a * b) modulo `modulus`.
    #[external(v0)]
    fn arithmetic(
        self: @ContractState, a: Limbs, b: Limbs, modulus: Limbs
    ) -> Array<felt252> {
        let x = CircuitElement::<CircuitInput<0>> {};
        let y = CircuitElement::<CircuitInput<1>> {};
        let sum = circuit_add(x, y);
        let difference = circuit_sub(x, y);
        let product = circuit_mul(x, y);
        let outputs = (sum, difference, product)
            .new_inputs()
            .next(number(a))
            .next(number(b))
            .done()
            .eval(modulus_of(modulus))
            .unwrap();
        let mut out: Array<felt252> = array![];
        append(ref out, outputs.get_output(sum));
        append(ref out, outputs.get_output(difference));
        append(ref out, outputs.get_output(product));
        out
    }

    /// The inverse of a modulo `modulus`; (0, no limbs) where there is none.
    #[external(v0)]
    fn inverse(self: @ContractState, a: Limbs, modulus: Limbs) -> (bool, Array<felt252>) {
        let x = CircuitElement::<CircuitInput<0>> {};
        let inverted = circuit_inverse(x);
        let mut out: Array<felt252> = array![];
        match (inverted,).new_inputs().next(number(a)).done().eval(modulus_of(modulus)) {
            Result::Ok(outputs) => {
                append(ref out, outputs.get_output(inverted));
                (true, out)
            },
            Result::Err(_) => (false, out),
        }
    }

    /// `times` times x := (x * x + y) / (x - y), beginning at (a, b): many gates.
    #[external(v0)]
    fn repeat(
        self: @ContractState, a: Limbs, b: Limbs, modulus: Limbs, times: u32
    ) -> Array<felt252> {
        let x = CircuitElement::<CircuitInput<0>> {};
        let y = CircuitElement::<CircuitInput<1>> {};
        let square = circuit_mul(x, x);
        let upper = circuit_add(square, y);
        let lower = circuit_sub(x, y);
        let quotient = circuit_mul(upper, circuit_inverse(lower));
        let mut value = u384_of(a);
        let mut left = times;
        while left != 0 {
            let outputs = (quotient,)
                .new_inputs()
                .next(value)
                .next(number(b))
                .done()
                .eval(modulus_of(modulus))
                .unwrap();
            value = outputs.get_output(quotient);
            left -= 1;
        };
        let mut out: Array<felt252> = array![];
        append(ref out, value);
        out
    }

    /// Four limbs, lowest first, each below 2^96.
    fn number(limbs: Limbs) -> [u96; 4] {
        let (limb0, limb1, limb2, limb3) = limbs;
        [
            limb0.try_into().unwrap(),
            limb1.try_into().unwrap(),
            limb2.try_into().unwrap(),
            limb3.try_into().unwrap()
        ]
    }

    fn u384_of(limbs: Limbs) -> u384 {
        let [limb0, limb1, limb2, limb3] = number(limbs);
        u384 { limb0, limb1, limb2, limb3 }
    }

    fn modulus_of(limbs: Limbs) -> CircuitModulus {
        let modulus: Option<CircuitModulus> = number(limbs).try_into();
        modulus.unwrap()
    }

    fn append(ref out: Array<felt252>, value: u384) {
        out.append(value.limb0.into());
        out.append(value.limb1.into());
        out.append(value.limb2.into());
        out.append(value.limb3.into());
    }
}
