// What trained ResNets expect of ImageNet's images.

/** Mean and standard deviation of each channel, after the division by 255, as torchvision's weights of all nets expect them. */
export const imageNetNormalization = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Images are resized to 256 pixels before 224 are cut out (He et al., 2016, section 3.4). */
export const imageNetMargin = 256 / 224;
