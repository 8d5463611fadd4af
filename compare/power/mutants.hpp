// Deliberately wrong kernels, to see whether a check catches them.
#pragma once

#include <string>
#include <vector>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/network.hpp"
#include "nngpcheck/compare/verdict/check.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::compare {

/// A network that a mistake makes of another one; its limit is a wrong kernel.
struct WrongNetwork {
  std::string name;    // the mistake: "bias missing"
  std::string change;  // where it was made: "hidden1.b, hidden2.b"
  netsor::Program program;
};

/// Mistakes in a program, as far as they apply to it:
///   weight variance + 2 %             of all weights; of all input weights; of all biases
///   bias missing                      all biases of mean 0
///   gate without its bias             of gated linear units
///   relu without its ½                every relu times √2
///   erf of x/√2                       instead of erf x, also in (1 + erf x)/2
///   gelu by its tanh formula
///   weights untied                    every product with a weight draws its own: per time step in an RNN
///   gates share weights               z and r of a GRU; i, f and o of an LSTM
///   gate always open                  r of a GRU, f of an LSTM is 1
///   softmax over the wrong axis       over the queries
///   causal mask missing               positions see later ones
///   attention across samples          no mask at all
///   unbiased variance                 in batch norm: divided by m − 1
///   batches merged                    batch norm over all of them
///   layer norm missing, mean of layer norm not subtracted
///   skip missing                      the last one
///   cross terms of a residual dropped the last branch that correlates with its skip is independent
///   cross terms of all residuals dropped   E[(x + f)(x' + f')] = E[x x'] + E[f f'], means included
/// A skip is a term of a sum that another of its terms is computed from, not through tables alone. Gates are
/// found by the names of their random objects (see architectures/layers/layers.hpp).
std::vector<WrongNetwork> wrong_programs(const netsor::Program& program);

/// Mistakes in layers and inputs, as far as they apply:
///   skip taken one layer too early, or too late   of every residual: the norm or activation before it, or at
///                                     the start of its branch, moves to the other side of the fork
///   circular padding instead of any    zero instead of circular
///   self loops missing                in graph convolutions
///   the other GRU convention; forget bias missing; initial state 0
///   depthwise as full convolution; average counts other positions; interpolation by another rule
///   padding with zeros
///   group norm with one group; RMS norm subtracts the mean; layer norm over other sites
///   instance norm over the batch; batch norm as in training
///   gate missing, or of the wrong half; product as sum; factor missing
///   dropout without rescaling, left out, or its masks shared otherwise
///   scores scaled otherwise; window, distances or causal mask missing; linear attention normalized otherwise
///   readout bias missing
///   state carried over between sequences   all sequences are one
///   sequences truncated               each state sees as many last tokens as the longest distance between
///                                     starts of sequences (a single recurrent layer, one direction). The
///                                     published reference kernel of the simple RNN iterates so often.
std::vector<WrongNetwork> wrong_networks(const architectures::Network& network, const inputs::Inputs& inputs);

/// A wrong kernel, by the names of its mistake.
struct Mutant {
  std::string name;
  std::string change;
  kernels::Kernel kernel;
};

/// Mistakes in the numbers: everything × 1.01 and × 0.99; one entry off by 2 % of √(K_aa K_bb); two inputs
/// swapped.
std::vector<Mutant> wrong_kernels(const kernels::Kernel& right);

/// max |K' − K|_ab/√(K'_aa K'_bb), K' = `given`: what `agree` bounds. Where K'_aa K'_bb is 0, it is replaced
/// by the square of the largest diagonal entry.
double distance(const kernels::Kernel& given, const kernels::Kernel& right);

/// A mistake that makes no mutant, and why.
struct LeftOut {
  std::string name;
  std::string reason;
};

struct Catalogue {
  std::vector<Mutant> mutants;
  std::vector<LeftOut> left_out;  // no limit is known, or it is the right one (distance < 1e-6)
};

/// All of the above for a network, its inputs and its right kernel.
Catalogue mutants(const architectures::Network& network, const inputs::Inputs& inputs,
                  const kernels::Kernel& right, const analytic::LimitOptions& options = {});

/// The same for a program whose layers are not known: mistakes in the program and in the numbers.
Catalogue mutants(const netsor::Program& program, const kernels::Kernel& right,
                  const analytic::LimitOptions& options = {});

}  // namespace nngpcheck::compare
