#pragma once

#include <torch/torch.h>

#include <cmath>

/// Two hidden layers of relu on inputs of dimension d: [m, d] -> [m, width]. Weights are N(0, 2/fan_in) (He's
/// initialisation), biases N(0, 0.1). The kernel is that of the last hidden layer, so there is no readout.
class MyNetworkImpl : public torch::nn::Module {
 public:
  MyNetworkImpl(std::int64_t d, std::int64_t width)
      : first_(register_module("first", torch::nn::Linear(d, width))),
        second_(register_module("second", torch::nn::Linear(width, width))) {
    for (torch::nn::Linear& layer : {std::ref(first_), std::ref(second_)}) {
      torch::nn::init::kaiming_normal_(layer->weight, 0, torch::kFanIn, torch::kReLU);
      torch::nn::init::normal_(layer->bias, 0, std::sqrt(0.1));
    }
  }

  torch::Tensor forward(const torch::Tensor& inputs) {
    return torch::relu(second_(torch::relu(first_(inputs))));
  }

 private:
  torch::nn::Linear first_, second_;
};
TORCH_MODULE(MyNetwork);
